#!/usr/bin/env perl
# repeat.pl [PERCENT] OPTION... - how well zvmm bench repeats: two sessions, one after the other, with
# these options of zvmm bench; then the rows and steps of rows whose medians differ by more than
# PERCENT (2), and how many agree, in all and of those that both sessions call settled. The status is
# 1 if a settled one differs.
use strict;
use warnings;

my $percent = @ARGV && $ARGV[0] =~ /^[0-9.]+$/ ? shift : 2;
die "usage: repeat.pl [PERCENT] OPTION...    for example: repeat.pl --libos\n" unless @ARGV;

# From zvmm bench's table: by "SUBJECT ROW", the median and whether it is settled; and the processor.
sub session {
    my %rows;
    my $cpu = '';
    open my $table, '-|', './zvmm', 'bench', @ARGV or die "repeat.pl: zvmm: $!\n";
    while (<$table>) {
        $cpu = $1 if /^on (CPU \d+)/;
        $rows{"$2 $1"} = {median => $3, settled => $4 eq ''}
            if m{^(\S+/\S+|\S+) +(libos|linux|guest|zvmm) +([0-9.]+)(~?) +[0-9.]};
    }
    close $table;
    die "repeat.pl: zvmm bench ended with status " . ($? >> 8) . "\n" if $? >> 8 > 1;
    return (\%rows, $cpu);
}

my ($first, $cpu) = session();
my ($second, $other) = session();
my %count; # [agree, all] by rows or steps, settled or all
print "\n";
print "the sessions were on $cpu and $other, whose caches have neighbours of their own: give --cpu\n"
    if $cpu ne $other;
for my $row (sort keys %$first) {
    my ($a, $b) = ($first->{$row}, $second->{$row});
    next unless $b && $a->{median} > 0;
    my $change = 100 * ($b->{median} / $a->{median} - 1);
    my $agrees = abs($change) <= $percent;
    my $settled = $a->{settled} && $b->{settled};
    my $kind = $row =~ /^(.*)\.[a-z_]+$/ && $first->{$1} ? 'steps' : 'rows';
    for my $class ('all', $settled ? 'settled' : ()) {
        $count{$kind}{$class}[0] += $agrees;
        $count{$kind}{$class}[1]++;
    }
    printf "%+7.1f %% %14.2f %14.2f  %s%s\n", $change, $a->{median}, $b->{median}, $row,
        $settled ? '' : ' ~'
        unless $agrees;
}
my $failed = 0;
for my $kind (grep { $count{$_} } qw(rows steps)) {
    my ($all, $settled) = ($count{$kind}{all}, $count{$kind}{settled} // [0, 0]);
    printf "%d of %d %s agree within %g %%; %d of the %d that are settled in both\n", @$all[0, 1],
        $kind, $percent, @$settled;
    $failed ||= $settled->[0] < $settled->[1];
}
exit($failed);
