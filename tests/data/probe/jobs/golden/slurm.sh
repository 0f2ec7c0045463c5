#!/bin/bash
#SBATCH --job-name=isoflop-probe
#SBATCH --array=0-2%4
#SBATCH --output=/dev/null
#SBATCH --signal=B:USR1@120
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=1
#SBATCH --partition=gpu
#SBATCH --constraint="a100|h100"
#SBATCH --time=1:00:00
#SBATCH --mem=4G
#SBATCH --gres=gpu:a100:2
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --mail-type=END
# Each task of the array makes one run, in its folder. A run that is told to stop before its time is up or others take its place
# writes a checkpoint and ends with code 75; it is put back in the queue then, and goes on from there. So is one that is killed after
# its checkpoint moved on: one that ran out of memory before would do so again. Code 3 says that another process has the folder.
asked= trainer=
trap 'asked=1; [ -z "$trainer" ] || kill -TERM "$trainer" 2>/dev/null' USR1 TERM
folders=(
  '/runs of o'"'"'hara/sweep/plain'
  '/runs of o'"'"'hara/sweep/$(touch x) "q" `y`'
  $'/runs of o\047hara/sweep/a\012b \303\251'
)
folder=${folders[${SLURM_ARRAY_TASK_ID:?is set by sbatch --array}]}
[ -d "$folder" ] || { echo "There is no folder $folder here." >&2; exit 66; }
exec >>"$folder/stdout.txt" 2>&1
# How this task ended, for whoever looks when Slurm knows it no more; nothing where it is put back.
ended() {
  printf '{"job": "%s", "index": %d, "code": %d, "at": %d}\n' "${SLURM_ARRAY_JOB_ID:-}" "$SLURM_ARRAY_TASK_ID" "$1" "$(date +%s)" \
    >"$folder/.ended.part" && mv "$folder/.ended.part" "$folder/slurm_ended.json"
}
rm -f "$folder/slurm_ended.json"
trap 'ended "$?"' EXIT
cd /opt/isoflop || exit 66
export ISOFLOP_DEVICE=cuda OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 PYTHONUNBUFFERED=1
kept() { stat -c "%i %Y" "$folder/checkpoint.npz" 2>/dev/null; }
module load cuda
before=$(kept)
'/opt/py thon/bin/python' -m data.probe.trainer "$folder/spec.json" "$folder" &
trainer=$!
[ -z "$asked" ] || kill -TERM "$trainer"
{ wait "$trainer"; } 2>/dev/null # how a trainer was killed is said by its code, not by bash
code=$?
while [ -n "$asked" ] && [ "$code" -gt 128 ] && kill -0 "$trainer" 2>/dev/null; do # the signal ended the wait, not the trainer
  wait "$trainer"
  code=$?
done
[ -z "$asked" ] || { wait "$trainer"; code=$?; } # bash keeps the code of one that ended meanwhile
# One that was told to stop before it could listen was ended by the signal itself: 143, or 138.
if [ "$code" -eq 75 ] || [ "$code" -eq 3 ] || { [ "$code" -eq 137 ] && [ "$(kept)" != "$before" ]; } || { [ -n "$asked" ] && { [ "$code" -eq 143 ] || [ "$code" -eq 138 ]; }; }; then
  # A job that is being cancelled, or that Slurm puts back itself, does not run any more.
  if [ "${SLURM_RESTART_COUNT:-0}" -lt 100 ] && [ "$(squeue --noheader --jobs="$SLURM_JOB_ID" --format=%T)" = RUNNING ]; then
    trap - EXIT
    scontrol requeue "$SLURM_JOB_ID" && exit 0
    trap 'ended "$?"' EXIT
  fi
fi
exit "$code"
