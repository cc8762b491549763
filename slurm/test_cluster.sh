#!/usr/bin/env bash
# A real SLURM on this one host, for the tests: some nodes with fake GPUs, and accounting.
#
#   slurm/test_cluster.sh install          Debian packages, as root
#   slurm/test_cluster.sh start            seconds; fails with the log of what did not start
#   eval "$(slurm/test_cluster.sh env)"    then sinfo, sbatch, sacct, ... mean this cluster
#   slurm/test_cluster.sh status           the daemons and the nodes
#   slurm/test_cluster.sh down NAME        stop slurmctld, slurmd.n2, ... (jobs go on)
#   slurm/test_cluster.sh up NAME          start it again
#   slurm/test_cluster.sh stop             leaves no process
#
# Settings, from the environment:
#   BASE    folder of everything it writes        (${TMPDIR:-/tmp}/harness-slurm)
#   NODES   n1, n2, ...                           (3)
#   GPUS    fake ones of each node                (4)
#   CPUS    that each node pretends to have       (16)
#   PORT0   first of the ports, 11 + NODES of them (the first free ones from 17000)
#
# Partitions: main; low, whose jobs are requeued for those of high; high.
# No system service is touched, and two clusters, each with its own BASE, run side by side.
set -euo pipefail

BASE=${BASE:-${TMPDIR:-/tmp}/harness-slurm}
NODES=${NODES:-3}
GPUS=${GPUS:-4}
CPUS=${CPUS:-16}
PORT0=${PORT0:-}

case $BASE in /*) ;; *) BASE=$PWD/$BASE ;; esac # daemons change their folder
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
HOST=$(hostname -s)
MARKER=$BASE/.harness-slurm
SOCKET=$BASE/run/munge.sock
PACKAGES="slurmctld slurmd slurm-client munge slurmdbd mariadb-server-core"
NEEDED="munged mariadbd slurmdbd slurmctld slurmd sinfo sbatch sacct sacctmgr"
export SLURM_CONF=$BASE/etc/slurm.conf
PATH=$PATH:/usr/sbin:/sbin # a user's PATH leaves out where Debian puts daemons

die() {
    echo "test_cluster: $*" >&2
    exit 1
}

missing_programs() {
    for program in $NEEDED; do
        command -v "$program" > /dev/null || echo "$program"
    done
}

running() { # is the supervisor of this BASE alive?
    [ -s "$BASE/run/supervisor.pid" ] || return 1
    grep -qs _supervisor.py "/proc/$(cat "$BASE/run/supervisor.pid")/cmdline"
}

# taken_port FIRST: the first port in use of those of a cluster that begins there
taken_port() {
    for port in "$1" $(($1 + 1)) $(($1 + 2)) $(seq $(($1 + 11)) $(($1 + 10 + NODES))); do
        if port_is_open "$port"; then
            echo "$port"
            return
        fi
    done
}

choose_ports() {
    local taken=
    if [ -n "$PORT0" ]; then
        taken=$(taken_port "$PORT0")
        [ -z "$taken" ] || die "port $taken is in use; set another PORT0"
    else
        for PORT0 in $(seq 17000 50 30000); do # below those that clients are given
            [ -n "$(taken_port "$PORT0")" ] || break
        done
    fi
    CTLD_PORT=$PORT0
    DBD_PORT=$((PORT0 + 1))
    SQL_PORT=$((PORT0 + 2))
    NODE_PORT=$((PORT0 + 11))
}

port_is_open() { (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null; }

# until_true SECONDS COMMAND...: try again until it succeeds
until_true() {
    local deadline=$(($(date +%s) + $1))
    shift
    until "$@"; do
        [ "$(date +%s)" -lt "$deadline" ] || return 1
        sleep 0.05
    done
}

install() {
    [ -z "$(missing_programs)" ] && return
    command -v apt-get > /dev/null || die "there is no apt-get here; SLURM 22.05 or later is needed"
    local log
    log=$(mktemp)
    # shellcheck disable=SC2086
    if ! { apt-get update && DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends $PACKAGES; } > "$log" 2>&1; then
        tail -n 15 "$log" >&2
        die "apt-get could not install $PACKAGES (log: $log); is its mirror reachable, are you root?"
    fi
    rm "$log"
}

write_slurm_conf() {
    # Stale results of an older cluster are never taken for new ones: ids begin elsewhere each time.
    local first_job=$(($(date +%s) % 600000 * 100 + 1))
    # cred_expire: a requeued job waits for its old credential, two minutes by default.
    # config_overrides: a node may claim more cores than the host has.
    # CR_LLN: jobs go to the emptiest node, so that a few of them use all nodes.
    # ReturnToService: a node that was set down stays so until it is resumed.
    # SlurmdTimeout, KillWait, sched_*: minutes on a cluster, seconds here.
    cat > "$SLURM_CONF" << CONF
ClusterName=test
SlurmctldHost=$HOST(127.0.0.1)
SlurmctldPort=$CTLD_PORT
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$SOCKET,cred_expire=5
CredType=cred/munge
StateSaveLocation=$BASE/state
SlurmdSpoolDir=$BASE/spool/%n
SlurmctldPidFile=$BASE/run/slurmctld.pid
SlurmdPidFile=$BASE/run/slurmd.%n.pid
SlurmctldLogFile=$BASE/log/slurmctld.log
SlurmdLogFile=$BASE/log/slurmd.%n.log
SlurmctldDebug=verbose
SlurmdDebug=verbose
MailProg=/bin/true
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory,CR_LLN
DefMemPerCPU=64
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,sched_min_interval=0,batch_sched_delay=0,bf_interval=1
PriorityType=priority/basic
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmctldParameters=preempt_send_user_signal
SlurmdParameters=config_overrides
JobRequeue=1
ReturnToService=1
SlurmdTimeout=10
SlurmctldTimeout=10
KillWait=2
UnkillableStepTimeout=60
FirstJobId=$first_job
MaxJobId=67000000
GresTypes=gpu
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort=$DBD_PORT
AccountingStoragePass=$SOCKET
AccountingStorageTRES=gres/gpu
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=5
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=5 PreemptMode=OFF
PartitionName=low Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=1 PreemptMode=REQUEUE GraceTime=30
PartitionName=high Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF
CONF
    for node in $(seq "$NODES"); do # the feature: a job may ask for a node by --constraint
        echo "NodeName=n$node Feature=n$node NodeHostname=$HOST NodeAddr=127.0.0.1" \
            "Port=$((NODE_PORT + node - 1)) CPUs=$CPUS Boards=1 SocketsPerBoard=1" \
            "CoresPerSocket=$CPUS ThreadsPerCore=1 RealMemory=256000 Gres=gpu:$GPUS" >> "$SLURM_CONF"
    done
    cat > "$BASE/etc/gres.conf" << CONF
AutoDetect=off
NodeName=n[1-$NODES] Name=gpu File=$BASE/dev/gpu[0-$((GPUS - 1))]
CONF
}

write_database_conf() {
    cat > "$BASE/etc/slurmdbd.conf" << CONF
AuthType=auth/munge
AuthInfo=socket=$SOCKET
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort=$DBD_PORT
SlurmUser=root
LogFile=$BASE/log/slurmdbd.log
PidFile=$BASE/run/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort=$SQL_PORT
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm_acct_db
CONF
    chmod 600 "$BASE/etc/slurmdbd.conf" # slurmdbd insists
    # Nothing here has to survive a power cut: the fastest settings.
    cat > "$BASE/etc/my.cnf" << CONF
[mysqld]
user=root
datadir=$BASE/db
socket=$BASE/run/mysql.sock
pid-file=$BASE/run/mariadbd.pid
log-error=$BASE/log/mariadbd.log
bind-address=127.0.0.1
port=$SQL_PORT
init-file=$BASE/etc/users.sql
skip-name-resolve
skip-log-bin
performance_schema=OFF
innodb_buffer_pool_size=128M
innodb_log_file_size=32M
innodb_lock_wait_timeout=900
innodb_flush_log_at_trx_commit=0
innodb_doublewrite=0
CONF
    cat > "$BASE/etc/users.sql" << SQL
CREATE DATABASE IF NOT EXISTS slurm_acct_db;
CREATE USER IF NOT EXISTS slurm@'127.0.0.1' IDENTIFIED BY 'slurm';
GRANT ALL ON slurm_acct_db.* TO slurm@'127.0.0.1';
SQL
}

prepare() {
    if [ -e "$BASE" ]; then
        [ -e "$MARKER" ] || [ -z "$(ls -A "$BASE")" ] || die "$BASE is not a folder of this script"
        rm -rf "${BASE:?}"/{etc,run,log,state,spool,dev,db}
    fi
    mkdir -p "$BASE"/{etc,run/wanted,run/pids,log,state,spool,dev,db}
    touch "$MARKER"
    for node in $(seq "$NODES"); do mkdir "$BASE/spool/n$node"; done
    for gpu in $(seq 0 $((GPUS - 1))); do # SLURM accepts only character devices; this is /dev/null
        mknod -m 666 "$BASE/dev/gpu$gpu" c 1 3
    done
    (umask 077 && head -c 128 /dev/urandom > "$BASE/etc/munge.key")
    write_slurm_conf
    write_database_conf
}

# What mariadb-install-db does, which needs the package of the clients beside the server's.
make_database() {
    local sql=/usr/share/mysql
    {
        # One statement a line: that is how --bootstrap reads.
        printf '%s\n' "CREATE DATABASE mysql;" "USE mysql;" "SET @auth_root_socket=NULL;"
        cat $sql/mysql_system_tables.sql $sql/mysql_performance_tables.sql \
            $sql/mysql_system_tables_data.sql
    } | mariadbd --defaults-file=<(grep -v -e init-file -e log-error "$BASE/etc/my.cnf") \
        --bootstrap --log-warnings=0 > "$BASE/log/bootstrap.log" 2>&1 || {
        tail -n 15 "$BASE/log/bootstrap.log" >&2
        die "the database of the accounting could not be made"
    }
}

# up NAME [COMMAND...]: have the supervisor run it; without a command the one it had
up() {
    local name=$1
    shift
    [ $# = 0 ] || printf '%s\n' "$@" > "$BASE/run/command.$name"
    [ -e "$BASE/run/command.$name" ] || die "there is no daemon $name; see status"
    cp "$BASE/run/command.$name" "$BASE/run/starting" # renamed, so that it is never read half-written
    mv "$BASE/run/starting" "$BASE/run/wanted/$name"
}

down() {
    [ -e "$BASE/run/command.$1" ] || die "there is no daemon $1; see status"
    rm -f "$BASE/run/wanted/$1"
    until_true 15 test ! -e "$BASE/run/pids/$1" || die "$1 does not end"
}

failed() {
    echo "test_cluster: $1 did not start; the end of its log:" >&2
    tail -n 15 "$BASE/log/$1.log" "$BASE/log/$1.out" >&2 || true
    stop
    exit 1
}

nodes_are_idle() {
    [ "$(sinfo -h -N -p main -o %T 2> /dev/null | grep -c '^idle$')" = "$NODES" ]
}

cluster_is_known() {
    [ -n "$(sacctmgr -n list cluster test format=cluster 2> /dev/null)" ] ||
        sacctmgr -i -Q add cluster test > /dev/null 2>&1
}

start() {
    local absent
    absent=$(missing_programs)
    [ -z "$absent" ] || die "not installed: ${absent//$'\n'/ } (slurm/test_cluster.sh install)"
    [ "$(id -u)" = 0 ] || die "this must run as root, for the files of the fake GPUs"
    [ ${#SOCKET} -lt 100 ] || die "BASE is too long for the name of a socket: $BASE"
    ! running || die "a cluster runs in $BASE already"
    choose_ports
    prepare
    make_database
    setsid python3 "$HERE/_supervisor.py" "$BASE" \
        < /dev/null > "$BASE/log/supervisor.log" 2>&1 &
    echo $! > "$BASE/run/supervisor.pid"

    # --force: BASE may lie below a folder that others may not enter.
    up munged munged --foreground --force --key-file="$BASE/etc/munge.key" --socket="$SOCKET" \
        --pid-file="$BASE/run/munged.pid" \
        --seed-file="$BASE/run/munge.seed" --num-threads=4
    up mariadbd mariadbd --defaults-file="$BASE/etc/my.cnf"
    until_true 20 test -S "$SOCKET" || failed munged
    until_true 30 port_is_open "$SQL_PORT" || failed mariadbd
    up slurmdbd slurmdbd -D
    until_true 30 port_is_open "$DBD_PORT" || failed slurmdbd
    until_true 30 cluster_is_known || failed slurmdbd
    up slurmctld slurmctld -D -f "$SLURM_CONF"
    until_true 30 port_is_open "$CTLD_PORT" || failed slurmctld
    for node in $(seq "$NODES"); do
        up "slurmd.n$node" slurmd -D -f "$SLURM_CONF" -N "n$node"
    done
    until_true 30 nodes_are_idle || failed slurmd.n1
    echo "$NODES nodes of $GPUS GPUs; eval \"\$(BASE=$BASE $0 env)\""
}

stop() {
    running || return 0
    local supervisor
    supervisor=$(cat "$BASE/run/supervisor.pid")
    kill "$supervisor"
    until_true 60 test ! -e "/proc/$supervisor" || die "the supervisor $supervisor does not end"
    rm -f "$BASE/run/supervisor.pid"
}

status() {
    running || die "no cluster runs in $BASE"
    for command in "$BASE"/run/command.*; do
        local name=${command##*/command.}
        echo "$name $(cat "$BASE/run/pids/$name" 2> /dev/null || echo down)"
    done
    sinfo -N -o "%N %P %T %G"
}

case ${1:-} in
    install | start | stop | status) "$1" ;;
    env) echo "export SLURM_CONF=$SLURM_CONF" ;;
    up | down)
        [ $# = 2 ] || die "$1 needs the name of a daemon; see status"
        running || die "no cluster runs in $BASE"
        "$1" "$2"
        ;;
    *)
        sed -n '2,/^set /{s/^# \{0,1\}//p}' "$0" >&2
        exit 2
        ;;
esac
