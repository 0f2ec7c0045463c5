#!/usr/bin/env bash
# A cluster of one node for tests: the real Slurm of the packages slurm-wlm and munge, on loopback, with everything it writes in one folder.
#
#   slurm-one.sh up      write the configuration, start munged, slurmctld and slurmd, and wait until the node takes jobs
#   slurm-one.sh env     print what a shell has to export to use it:  eval "$(slurm-one.sh env)"
#   slurm-one.sh down    cancel its jobs and end the daemons that `up` started
#
# SLURM_ONE   the folder; of root's, and short, because sockets lie in it (default: /tmp/slurm-one)
# FAKE_GPUS   so many pretend GPUs, of which jobs are given whole ones (default: none)
# CPUS        so many cores, whatever the machine has (default: 4)
#
# Jobs of the partition `urgent` take the place of those of `main`, which are put back. It needs root. It uses no systemd, no control groups and no accounting, and so limits no job's memory.
set -euo pipefail

folder=${SLURM_ONE:-/tmp/slurm-one}
export SLURM_CONF=$folder/slurm.conf
daemons="slurmd slurmctld munged" # in the order in which they end

# The process of a daemon that was started here: its number may have become another program's since.
process_of() {
  local pid
  pid=$(cat "$folder/$1.pid" 2>/dev/null) || return 1
  [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$1" ] || return 1
  echo "$pid"
}

free_ports() { # two ports of loopback that nobody listens on
  python3 - <<'PYTHON'
import socket
held = [socket.socket() for _ in range(2)]
for one in held:
    one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in held))
PYTHON
}

configure() {
  local node gpus="" types=""
  node=$(hostname -s)
  read -r controller_port node_port < <(free_ports)
  : >"$folder/gres.conf"
  if [ "${FAKE_GPUS:-0}" -gt 0 ]; then
    for ((i = 0; i < FAKE_GPUS; i++)); do
      [ -e "$folder/gpu$i" ] || mknod "$folder/gpu$i" c 1 3 # a device of its own, that is /dev/null
    done
    echo "Name=gpu File=$folder/gpu[0-$((FAKE_GPUS - 1))]" >"$folder/gres.conf"
    types="GresTypes=gpu" gpus="Gres=gpu:$FAKE_GPUS"
  fi
  # cred_expire: a job that is put back waits for so many seconds; 5 are the fewest. config_overrides: the node has what is said here.
  cat >"$SLURM_CONF" <<CONF
ClusterName=one
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=$controller_port
SlurmdPort=$node_port
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$folder/munge.socket,cred_expire=5
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
DefMemPerCPU=256
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=100000,bf_interval=1
KillWait=10
MinJobAge=300
ReturnToService=2
$types
NodeName=$node NodeAddr=127.0.0.1 CPUs=${CPUS:-4} RealMemory=8192 $gpus State=UNKNOWN
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
PartitionName=main Nodes=ALL Default=YES PriorityTier=1 MaxTime=INFINITE State=UP
PartitionName=urgent Nodes=ALL PriorityTier=2 MaxTime=INFINITE State=UP
CONF
}

up() {
  for program in munged slurmctld slurmd sbatch; do
    command -v $program >/dev/null || { echo "slurm-one: $program is not installed: apt-get install slurm-wlm munge" >&2; exit 3; }
  done
  [ "$(id -u)" -eq 0 ] || { echo "slurm-one: it is started by root" >&2; exit 3; }
  mkdir -p "$folder/state" "$folder/spool"
  process_of slurmctld >/dev/null || configure # one that runs keeps its ports
  [ -s "$folder/munge.key" ] || (umask 077 && head -c 1024 /dev/urandom >"$folder/munge.key")
  # --force: folders above the socket may be anybody's.
  process_of munged >/dev/null || munged --force --key-file="$folder/munge.key" --socket="$folder/munge.socket" \
    --pid-file="$folder/munged.pid" --seed-file="$folder/munged.seed" --log-file="$folder/munged.log" || failed munged
  process_of slurmctld >/dev/null || slurmctld 2>>"$folder/slurmctld.log" || failed slurmctld
  process_of slurmd >/dev/null || slurmd 2>>"$folder/slurmd.log" || failed slurmd
  for ((i = 0; i < 150; i++)); do
    [ "$(timeout 5 sinfo --noheader --partition=main --format=%t 2>/dev/null)" != idle ] || return 0
    sleep 0.1
  done
  failed "its node"
}

failed() {
  echo "slurm-one: $1 did not come up" >&2
  tail -n 12 "$folder"/*.log >&2 || true
  down
  exit 1
}

down() {
  local name pid ending=""
  # Jobs first: they would outlive the daemon that started them.
  if process_of slurmctld >/dev/null; then
    timeout 10 scancel --quiet --user="$(id -un)" || true
    for ((i = 0; i < 30; i++)); do
      [ -n "$(timeout 5 squeue --noheader 2>/dev/null)" ] || break
      sleep 0.1
    done
  fi
  for name in $daemons; do
    pid=$(process_of "$name") && kill "$pid" && ending="$ending $pid" || true
  done
  for pid in $ending; do # a daemon's file of its number goes before the daemon does
    for ((i = 0; i < 50; i++)); do
      [ -d "/proc/$pid" ] || continue 2
      sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null || true
  done
}

case "${1:-}" in
up) up ;;
env) echo "export SLURM_CONF=$(printf %q "$SLURM_CONF")" ;;
down) down ;;
*) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2 ;;
esac
