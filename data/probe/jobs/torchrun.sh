#!/bin/bash
# Each run on all the devices of this machine, one run after the other:  bash THIS-FILE
# Some of them, by number from 0:                                        bash THIS-FILE 2 3
folders=(
{{folders}}
)
cd {{here}} || exit 66
{{setup}}
[ $# -gt 0 ] || set -- "${!folders[@]}"
failed=0
for index; do
  folder=${folders[index]}
  # torchrun, by the name of its module
  {{python}} -m torch.distributed.run --standalone --nproc-per-node={{devices}} -m data.probe.trainer "$folder/spec.json" "$folder" || failed=1
done
exit $failed
