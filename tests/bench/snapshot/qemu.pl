#!/usr/bin/env perl
# qemu.pl ACCEL GUEST FOLDER COUNT - what QEMU takes for the snapshots of measure.c.
#
# GUEST is qemu-guest.S: 128 MiB, 4 MiB of it touched. Prints the smallest and the median time, in
# nanoseconds, of savevm, loadvm and migrate to a file (with the guest stopped, so that it is one
# pass), each from the command to its answer. Status 77 and a line if QEMU cannot run here.
use strict;
use warnings;
use IO::Socket::UNIX;
use JSON::PP;
use Time::HiRes qw(time sleep);

my ($accel, $guest, $folder, $count) = @ARGV;
die "usage: qemu.pl ACCEL GUEST FOLDER COUNT\n" unless $count;

sub skip { print STDERR "qemu: @_\n"; exit 77 }

my ($disk, $state, $said, $socket) = map {"$folder/$_"} qw(qemu.qcow2 qemu.state qemu.said qemu.qmp);
unlink $disk, $state, $said, $socket;
my $pid = fork // die "fork: $!\n";
if ($pid == 0) {
    open STDERR, '>', "$folder/qemu.log";
    exec split(' ', "qemu-system-x86_64 -M microvm -accel $accel -m 128 -display none -nodefaults"
        . " -no-reboot -device isa-debugcon,chardev=said -chardev file,id=said,path=$said"
        . " -kernel $guest -qmp unix:$socket,server=on,wait=off")
        or print STDERR "qemu-system-x86_64 is missing: apt-get install qemu-system-x86\n";
    exit 127;
}
END { my $status = $?; kill 'KILL', $pid if $pid; waitpid $pid, 0 if $pid; $? = $status }

sub wait_for {
    my ($what, $test) = @_;
    for (1 .. 2000) {
        return if $test->();
        skip("no $what with -accel $accel: " . (`head -1 $folder/qemu.log` || 'it ended'))
            if waitpid($pid, 1) == $pid;
        sleep 0.01;
    }
    skip("no $what with -accel $accel in 20 seconds");
}

my $qmp;
wait_for('monitor', sub { $qmp = IO::Socket::UNIX->new(Peer => $socket) });
wait_for('guest', sub { -s $said });
readline $qmp;

sub command {
    my ($name, %arguments) = @_;
    print $qmp encode_json({execute => $name, arguments => \%arguments}), "\n";
    while (my $line = readline $qmp) {
        my $answer = decode_json($line);
        die "qemu: $name: $answer->{error}{desc}\n" if $answer->{error};
        return $answer->{return} if exists $answer->{return};
    }
    die "qemu: $name: no answer\n";
}

sub human {
    my $said = command('human-monitor-command', 'command-line' => $_[0]);
    die "qemu: $_[0]: $said\n" if $said ne '';
}

sub create_image {
    my (%options) = @_;
    command('blockdev-create', 'job-id' => 'make', options => \%options);
    my $job;
    do { ($job) = @{command('query-jobs')} } while ($job->{status} ne 'concluded');
    command('job-dismiss', id => 'make');
    die "qemu: $disk: $job->{error}\n" if $job->{error};
}

# An image that takes snapshots, and no qemu-img to make it with.
sub add_disk {
    create_image(driver => 'file', filename => $disk, size => 0);
    command('blockdev-add', driver => 'file', filename => $disk, 'node-name' => 'file');
    create_image(driver => 'qcow2', file => 'file', size => 256 << 20);
    command('blockdev-add', driver => 'qcow2', file => 'file', 'node-name' => 'disk');
}

sub migrate {
    command('migrate', uri => "exec:cat > $state");
    my $status;
    do { $status = command('query-migrate')->{status} } while ($status =~ /setup|active|device/);
    die "qemu: migrate: $status\n" if $status ne 'completed';
}

sub measure {
    my ($what, $step, @before) = @_;
    my @times;
    for (1 .. $count) {
        command($_) for @before;
        my $begin = time;
        $step->();
        push @times, int((time - $begin) * 1e9);
    }
    @times = sort { $a <=> $b } @times;
    printf "%-26s qemu-%s min=%d median=%d\n", $what, $accel, $times[0], $times[@times / 2];
}

command('qmp_capabilities');
command('stop');
add_disk();
measure('take-contiguous savevm', sub { human('savevm s') });
measure('restore loadvm', sub { human('loadvm s') });
command('migrate-set-parameters', 'max-bandwidth' => 1 << 40);
measure('take-contiguous migrate', \&migrate, 'cont', 'stop'); # it cannot migrate twice
printf "    file %d KiB\n", (stat $state)[12] / 2;
command('quit');
unlink $disk, $state, $said, $socket;
