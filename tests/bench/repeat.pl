#!/usr/bin/env perl
# repeat.pl [PERCENT] OPTION... - how well zvmm bench repeats: two sessions, one after the other, with
# these options of zvmm bench; then the rows whose medians differ by more than PERCENT (2), and how
# many agree. The status is 1 if one differs.
use strict;
use warnings;
use File::Temp qw(tempdir);
use JSON::PP;

my $percent = @ARGV && $ARGV[0] =~ /^[0-9.]+$/ ? shift : 2;
die "usage: repeat.pl [PERCENT] OPTION...    for example: repeat.pl --libos\n" unless @ARGV;
my $folder = tempdir(CLEANUP => 1);

# As zvmm bench: of values that a clock has rounded, those equal to the median lie evenly in a step.
sub median {
    my @sorted = sort { $a <=> $b } @_;
    my $middle = $sorted[@sorted / 2];
    my %seen = map { $_ => 1 } @sorted;
    my @distinct = sort { $a <=> $b } keys %seen;
    my ($below, $equal) = (scalar grep({ $_ < $middle } @sorted), scalar grep({ $_ == $middle } @sorted));
    return ($sorted[$#sorted / 2] + $middle) / 2 if @distinct == 1 || @sorted < 4 * @distinct;
    my ($step) = sort { $a <=> $b } map { $distinct[$_] - $distinct[$_ - 1] } 1 .. $#distinct;
    return $middle - $step / 2 + $step * (@sorted / 2 - $below) / $equal;
}

# Medians by "SUBJECT ROW".
sub session {
    my ($path) = @_;
    my $status = system('./zvmm', 'bench', @ARGV, '--json', $path) >> 8;
    die "repeat.pl: zvmm bench ended with status $status\n" if $status > 1;
    open my $file, '<', $path or die "repeat.pl: $path: $!\n";
    local $/;
    my %medians;
    for my $entry (@{decode_json(<$file>)}) {
        my $subject = $entry->{test_suite} =~ s/^zvmm\.microbenchmarks\.//r;
        next if $subject eq $entry->{test_suite};
        $medians{"$subject $entry->{label}"} = median(@{$entry->{values}});
    }
    return \%medians;
}

my ($first, $second) = map { session("$folder/$_.json") } 1, 2;
my ($agree, $all) = (0, 0);
print "\n";
for my $row (sort keys %$first) {
    next unless defined $second->{$row} && $first->{$row} > 0;
    my $change = 100 * ($second->{$row} / $first->{$row} - 1);
    $all++;
    if (abs($change) <= $percent) {
        $agree++;
        next;
    }
    printf "%+7.1f %% %14.2f %14.2f  %s\n", $change, $first->{$row}, $second->{$row}, $row;
}
print "$agree of $all rows and steps agree within $percent %\n";
exit($agree < $all);
