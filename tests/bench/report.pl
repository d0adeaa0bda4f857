#!/usr/bin/env perl
# report.pl FOLDER PLATFORM... - turns FOLDER/samples.json (zvmm bench) and FOLDER/raw/PLATFORM.txt (the
# rig) into FOLDER/report.txt, which also says which targets are reached, and FOLDER/fuchsiaperf.json.
# bench.sh calls it and lists the platforms.
use strict;
use warnings;
use JSON::PP;

my ($folder, @platforms) = @ARGV;
die "usage: report.pl FOLDER PLATFORM...\n" unless @platforms;

my %kind = (
    libos       => 'our kernel as a Linux process (zlibos), native speed, ns',
    kvm         => "our kernel in zvmm on this machine's KVM, ns",
    rig         => 'our kernel in zvmm on the nested rig under -icount, instructions (with KVM)',
    linux       => 'Linux on this machine, the analogue, ns, measured in the same run',
    'linux-rig' => 'Linux 6.1 on the rig under -icount, the analogue, instructions',
    zircon      => 'Zircon as published in the thesis, ns, on its machine',
    zcore       => 'zCore as published in the thesis, ns, on the same machine as Zircon',
    snapshot    => 'what snapshots cost, beside bare prototypes, ns: at the end',
    memcpy      => 'memcpy of the same size (linux, else libos), ns',
);

# ---- Reading -------------------------------------------------------------------------------------

my (%result, %command, %message, @rows, %seen);

sub read_platform {
    my ($platform) = @_;
    open my $file, '<', "$folder/raw/$platform.txt" or return;
    while (my $line = <$file>) {
        chomp $line;
        $command{$platform} = $1 if $line =~ /^# command (.*)/;
        $message{$platform}{$1} = 1 if $line =~ /^# message (.*)/ || $line =~ /^([^#r].*)/;
        my ($word, $name, $unit, $n, $min, $median, $p90, $raw) = split ' ', $line;
        next unless defined $p90 && $word eq 'row';
        my $before = $result{$platform}{$name};
        next if $before && $before->{median} <= $median;
        $result{$platform}{$name} =
            {unit => $unit, n => $n, min => $min, median => $median, p90 => $p90, raw => $raw};
        push @rows, $name unless $seen{$name}++;
    }
}

# What zvmm bench vouches for. Its suites are called as it calls its subjects.
sub read_samples {
    my %platform = (libos => 'libos', linux => 'linux', guest => 'kvm');
    open my $file, '<', "$folder/samples.json" or return;
    local $/;
    for my $entry (@{decode_json(<$file>)}) {
        my $of = $platform{$entry->{test_suite} =~ s/.*\.//r} // next;
        my $name = $entry->{label};
        my @sorted = sort { $a <=> $b } @{$entry->{values}};
        $result{$of}{$name} = {unit => 'ns', n => scalar @sorted, min => $sorted[0],
            median => ($sorted[$#sorted / 2] + $sorted[@sorted / 2]) / 2,
            p90 => $sorted[$#sorted * 0.9], raw => join ',', @{$entry->{values}}};
        push @rows, $name unless $seen{$name}++;
    }
}

sub read_csv {
    my ($path) = @_;
    open my $file, '<', $path or die "report.pl: $path: $!\n";
    my @lines = grep { !/^#/ } <$file>;
    chomp @lines;
    my @keys = split /,/, shift @lines;
    return map { my @v = split /,/; my %h; @h{@keys} = @v; \%h } @lines;
}

read_samples() if grep { /^(libos|linux|kvm)$/ } @platforms;
read_platform($_) for grep { /rig/ } @platforms;
for my $row (read_csv('tests/bench/published.csv')) {
    $result{zircon}{$row->{case}} = {median => $row->{zircon_ns}};
    $result{zcore}{$row->{case}}  = {median => $row->{zcore_ns}};
}

sub median {
    my ($platform, $row) = @_;
    return $result{$platform}{$row} ? $result{$platform}{$row}{median} : undef;
}

# The size in a row's name, as the memcpy row has it.
sub memcpy {
    my ($row) = @_;
    return undef if $row !~ /Read|Write/ || $row =~ m{Some|/1handles};
    return undef unless $row =~ m{/(\d+k?bytes)};
    return median('linux', "Memcpy/$1") // median('libos', "Memcpy/$1");
}

# ---- The table -----------------------------------------------------------------------------------

sub number {
    my ($value) = @_;
    return '-' unless defined $value;
    return sprintf $value < 100 ? '%.1f' : '%.0f', $value;
}

sub ratio {
    my ($ours, $other) = @_;
    return defined $ours && $other && $other > 0 ? sprintf '%.2f', $ours / $other : '-';
}

# How far the samples lie apart: 90th percentile less minimum, in parts of the median.
sub spread {
    my ($platform, $row) = @_;
    my $r = $result{$platform}{$row};
    return '-' unless $r && $r->{median} > 0;
    return sprintf '%.0f%%', 100 * ($r->{p90} - $r->{min}) / $r->{median};
}

my @columns = (
    ['libos ns', sub { number(median('libos', $_[0])) }],
    ['spread',   sub { spread('libos', $_[0]) }],
    ['linux ns', sub { number(median('linux', $_[0])) }],
    ['spread',   sub { spread('linux', $_[0]) }],
    ['/linux',   sub { ratio(median('libos', $_[0]), median('linux', $_[0])) }],
    ['memcpy',   sub { number(memcpy($_[0])) }],
    ['Zircon',   sub { number(median('zircon', $_[0])) }],
    ['zCore',    sub { number(median('zcore', $_[0])) }],
    ['rig insn', sub { number(median('rig', $_[0])) }],
    ['linux-rig', sub { number(median('linux-rig', $_[0])) }],
    ['/linux',   sub { ratio(median('rig', $_[0]), median('linux-rig', $_[0])) }],
    ['kvm ns',   sub { number(median('kvm', $_[0])) }],
    ['spread',   sub { spread('kvm', $_[0]) }],
);

sub print_table {
    my ($out) = @_;
    printf $out "%-52s", 'row';
    printf $out '%11s', $_->[0] for @columns;
    print $out "\n";
    for my $row (@rows) {
        printf $out '%-52s', $row;
        printf $out '%11s', $_->[1]->($row) for @columns;
        print $out "\n";
    }
}

# ---- Targets -------------------------------------------------------------------------------------

sub reached_value {
    my ($target) = @_;
    my $ours = median($target->{platform}, $target->{row});
    return undef unless defined $ours;
    return $ours if $target->{against} eq 'instructions';
    my $other = $target->{against} eq 'memcpy' ? memcpy($target->{row})
                                               : median('linux', $target->{row});
    return $other && $other > 0 ? $ours / $other : undef;
}

sub print_targets {
    my ($out) = @_;
    print $out "\nTargets\n\n";
    for my $target (read_csv('tests/bench/targets.csv')) {
        my $value = reached_value($target);
        next unless defined $value;
        my $form = $target->{against} eq 'instructions' ? '%.0f' : '%.2f';
        printf $out "%-12s %-50s %-32s %8s of %-6s\n",
            $value <= $target->{limit} ? 'reached' : 'NOT REACHED', $target->{what}, $target->{row},
            sprintf($form, $value), $target->{limit};
    }
}

sub print_published {
    my ($out) = @_;
    my @published = sort keys %{$result{zircon}};
    my @missing = grep { !$result{libos}{$_} } @published;
    return unless $result{libos};
    printf $out "\nPublished rows measured: %d of %d%s\n", @published - @missing, scalar @published,
        @missing ? "; missing: @missing" : '';
    my @slower = grep { defined median('libos', $_) && defined median('linux', $_)
                        && median('libos', $_) > median('linux', $_) && !/^Memcpy/ } @rows;
    printf $out "Rows behind the Linux analogue (LibOS): %d\n", scalar @slower;
    printf $out "    %-48s %s\n", $_, ratio(median('libos', $_), median('linux', $_)) for @slower;
}

# The lines of the snapshot benchmark, as they are.
sub print_snapshots {
    my ($out) = @_;
    open my $file, '<', "$folder/raw/snapshot.txt" or return;
    print $out "\nSnapshots (ns)\n\n", grep { !/^# message/ } <$file>;
}

sub write_report {
    open my $out, '>', "$folder/report.txt" or die "report.pl: $folder/report.txt: $!\n";
    print $out "Medians of the samples that zvmm bench vouches for. spread = (90th percentile - ",
        "minimum) / median.\n\n";
    for my $platform (@platforms, 'zircon', 'zcore', 'memcpy') {
        printf $out "%-10s %s\n", $platform, $kind{$platform};
        print $out "           $command{$platform}\n" if $command{$platform};
        print $out "           $_\n" for sort keys %{$message{$platform} // {}};
    }
    print $out "\n";
    print_table($out);
    print_targets($out);
    print_published($out);
    print_snapshots($out) if grep { $_ eq 'snapshot' } @platforms;
    close $out;
}

# ---- JSON ----------------------------------------------------------------------------------------

sub write_json {
    open my $out, '>', "$folder/fuchsiaperf.json" or die "report.pl: $!\n";
    my @entries;
    for my $platform (@platforms) {
        for my $row (grep { $result{$platform}{$_} } @rows) {
            my $r = $result{$platform}{$row};
            my $values = $r->{raw} // "$r->{min},$r->{median},$r->{p90}";
            my $unit = $r->{unit} eq 'ns' ? 'nanoseconds' : 'count';
            push @entries, qq( {"label": "$row", "test_suite": "zvmm.microbenchmarks.$platform", )
                . qq("unit": "$unit", "values": [$values]});
        }
    }
    print $out "[\n", join(",\n", @entries), "\n]\n";
    close $out;
}

write_report();
write_json();
print "$folder/report.txt $folder/fuchsiaperf.json",
    -e "$folder/html/index.html" ? " $folder/html/index.html" : '', "\n";
