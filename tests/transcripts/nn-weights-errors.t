Usage.

  $ nn-weights
  nn-weights: which file?
  usage: nn-weights [--layer GLOB]... [--singular] [--memory SIZE] [--json] FILE
         nn-weights [--layer GLOB]... [--memory SIZE] [--json] FILE FILE
         nn-weights --each [--layer GLOB]... [--singular] [--memory SIZE] [--json] FILE...
  [2]
  $ nn-weights ''  2>&1 | head -1
  nn-weights: an empty FILE
  $ nn-weights -s a b 2>&1 | head -1
  nn-weights: --singular tells of each file: with two, give --each too
  $ nn-weights --memory much a 2>&1 | head -1
  nn-weights: option '--memory': 'much' is not a size such as 256M
  $ nn-weights --layers x a 2>&1 | head -1
  nn-weights: unknown option '--layers'

Files that are not what they should be.

  $ nn-weights nowhere.npz
  nn-weights: cannot read nowhere.npz: No such file or directory
  [2]
  $ mkdir dir; nn-weights dir
  nn-weights: dir: is a directory: name the files in it
  [2]
  $ printf '' > empty; nn-weights empty
  nn-weights: empty: it is empty
  [2]
  $ echo text > text; nn-weights text
  nn-weights: text: neither .npy, .npz, .safetensors nor a PyTorch zip file
  [2]
  $ printf '\211HDF\r\n\032\n' > k.h5; nn-weights k.h5
  nn-weights: k.h5: HDF5 is not read: save the weights by numpy.savez or safetensors (Keras: numpy.savez(FILE, **{v.path: v.numpy() for v in model.weights}))
  [2]
  $ printf '\200\2}q\0.' > p.pkl; nn-weights p.pkl
  nn-weights: p.pkl: a pickle is a program, and is not run: save the weights by numpy.savez, torch.save or safetensors
  [2]
  $ printf 'PK\3\4 and no end' > cut.npz; nn-weights cut.npz
  nn-weights: cut.npz: the zip directory at its end is missing: it is cut off, or still being written
  [2]
  $ npy() { printf '\223NUMPY\1\0\166\0%-117s\n' "{'descr': '$1', 'fortran_order': False, 'shape': ($2), }"; }
  $ npy '<f4' 3, > short.npy; nn-weights short.npy
  nn-weights: short.npy: 3 times float32 takes 12 bytes, and there are 0: it is cut off
  [2]
  $ { npy '<f4' 1,; printf 12345678; } > long.npy; nn-weights long.npy
  nn-weights: long.npy: 1 times float32 takes 4 bytes, and there are 8: one array a file is read
  [2]
  $ npy '<f4' '4294967296, 4294967296, 4294967296' > huge.npy; nn-weights huge.npy
  nn-weights: huge.npy: the shape 4294967296x4294967296x4294967296 has more elements than can be
  [2]
  $ npy '|O' 3, > objects.npy; nn-weights objects.npy
  nn-weights: warning: objects.npy: 'objects' is left out: Python objects (|O)
  nn-weights: there is no layer in objects.npy
  [1]
  $ printf '\377\377\377\377\377\377\377\377{}' > lies.safetensors; nn-weights lies.safetensors
  nn-weights: lies.safetensors: a header of 18446744073709551615 bytes: at most 100000000 are read
  [2]
  $ printf '\100\0\0\0\0\0\0\0{"a":{}}' > lies.safetensors; nn-weights lies.safetensors
  nn-weights: lies.safetensors: the file ends in its header
  [2]

Of several, those that can be read are.

  $ { npy '|u1' 1,; printf '\7'; } > one.npy; nn-weights -e one.npy nowhere one.npy | cut -f1,5,13
  nn-weights: cannot read nowhere: No such file or directory
  one	7	one.npy
  one	7	one.npy
  $ nn-weights -l 'x*' one.npy
  nn-weights: there is no layer named x* in one.npy
  [1]

A name from a file does nothing to the terminal or to the columns.

  $ header='{"a\u001b[2J\tb\nc":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}'
  $ printf '%b\0\0\0\0\0\0\0%s\5' "\\0$(printf %o ${#header})" "$header" > odd.safetensors; nn-weights odd.safetensors
  a\x1b[2J\tb\nc	1	uint8	1	5	5	0	5	5	0	0	0
  $ nn-weights --json odd.safetensors | cut -c1-40
  {"layer":"a\u001b[2J\tb\nc","shape":[1],

Outputs that fail.

  $ nn-weights one.npy > /dev/full
  nn-weights: cannot write standard output: No space left on device
  [2]
  $ nn-weights -e one.npy one.npy one.npy | head -1 | cut -f1
  one
