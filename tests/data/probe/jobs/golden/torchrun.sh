#!/bin/bash
# Each run on all the devices of this machine, one run after the other:  bash THIS-FILE
# Some of them, by number from 0:                                        bash THIS-FILE 2 3
folders=(
  '/runs of o'"'"'hara/sweep/plain'
  '/runs of o'"'"'hara/sweep/$(touch x) "q" `y`'
  $'/runs of o\047hara/sweep/a\012b \303\251'
)
cd /opt/isoflop || exit 66
module load cuda
[ $# -gt 0 ] || set -- "${!folders[@]}"
failed=0
for index; do
  folder=${folders[index]}
  # torchrun, by the name of its module
  '/opt/py thon/bin/python' -m torch.distributed.run --standalone --nproc-per-node=2 -m data.probe.trainer "$folder/spec.json" "$folder" || failed=1
done
exit $failed
