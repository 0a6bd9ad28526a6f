nn-run puts on record which GPUs the host has. nvidia-smi is asked once a boot: it may wake the cards for seconds.

  $ export SMI=$PWD/smi NN_NVIDIA_SMI=$TESTS/nvidia-smi
  $ mkdir smi
  $ nn-queue init >/dev/null
  $ echo '0, GPU-aa-1, 24576, 10, 24000, 0, 35, 20.5, Disabled, 550.1, NVIDIA Thing 24GB' >smi/gpus
  $ nn-run true
  $ nn-run true
  $ grep -o '"gpus":[^]]*]' spool/runs/2/facts.json
  "gpus":[{"index":0,"uuid":"GPU-aa-1","name":"NVIDIA Thing 24GB","memory_mib":24576}]
  $ grep -c . smi/asked
  1

A driver that hangs costs the first run a moment, and those after it nothing: for a while it is not asked again.

  $ rm -r spool smi/asked
  $ nn-queue init >/dev/null
  $ touch smi/hang
  $ nn-run true
  $ nn-run true
  $ nn-run true
  $ grep -o '"gpus":.*has not answered' spool/runs/3/facts.json
  "gpus":{"error":"nvidia-smi has not answered
  $ grep -c . smi/asked
  1

A failure is told in the driver's words, and remembered for a while as well.

  $ rm -r spool smi/asked smi/hang
  $ nn-queue init >/dev/null
  $ printf '\nThe driver is\033[2J older than its library.\n' >smi/fails
  $ nn-run true
  $ nn-run true
  $ grep -o '"gpus":{[^}]*}' spool/runs/2/facts.json
  "gpus":{"error":"nvidia-smi: The driver is\u001b[2J older than its library."}
  $ grep -c . smi/asked
  1
