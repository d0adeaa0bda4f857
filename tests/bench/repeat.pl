#!/usr/bin/env perl
# repeat.pl [PERCENT] OPTION... - how well zvmm bench repeats: two sessions, one after the other, with
# these options of zvmm bench; then the rows whose medians differ by more than PERCENT (2), and how
# many agree, of those that both sessions call settled and of the others. The status is 1 if a
# settled one differs.
use strict;
use warnings;

my $percent = @ARGV && $ARGV[0] =~ /^[0-9.]+$/ ? shift : 2;
die "usage: repeat.pl [PERCENT] OPTION...    for example: repeat.pl --libos\n" unless @ARGV;

# From zvmm bench's table: by "SUBJECT ROW", the median and whether it is settled.
sub session {
    my %rows;
    open my $table, '-|', './zvmm', 'bench', @ARGV or die "repeat.pl: zvmm: $!\n";
    while (<$table>) {
        $rows{"$2 $1"} = {median => $3, settled => $4 eq ''}
            if m{^(\S+/\S+|\S+) +(libos|linux|guest|zvmm) +([0-9.]+)(~?) +[0-9.]};
    }
    close $table;
    die "repeat.pl: zvmm bench ended with status " . ($? >> 8) . "\n" if $? >> 8 > 1;
    return \%rows;
}

my ($first, $second) = (session(), session());
my %count = map { $_ => [0, 0] } qw(settled other);
print "\n";
for my $row (sort keys %$first) {
    my ($a, $b) = ($first->{$row}, $second->{$row});
    next unless $b && $a->{median} > 0;
    my $change = 100 * ($b->{median} / $a->{median} - 1);
    my $kind = $a->{settled} && $b->{settled} ? 'settled' : 'other';
    $count{$kind}[1]++;
    if (abs($change) <= $percent) {
        $count{$kind}[0]++;
        next;
    }
    printf "%+7.1f %% %14.2f %14.2f  %s%s\n", $change, $a->{median}, $b->{median}, $row,
        $kind eq 'settled' ? '' : ' ~';
}
printf "%d of %d settled rows and steps agree within %g %%, %d of %d others\n", @{$count{settled}},
    $percent, @{$count{other}};
exit($count{settled}[0] < $count{settled}[1]);
