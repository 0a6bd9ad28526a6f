Arrays as numpy writes them: 1 2 3 / 4 5 6 in single precision, in C and in Fortran order, and what is no number.

  $ npy() { printf '\223NUMPY\1\0\166\0%-117s\n' "{'descr': '$1', 'fortran_order': $2, 'shape': ($3), }"; }
  $ { npy '<f4' False '2, 3'; printf '\0\0\200\77\0\0\0\100\0\0\100\100\0\0\200\100\0\0\240\100\0\0\300\100'; } > w.npy
  $ { npy '>f4' True '2, 3'; printf '\77\200\0\0\100\200\0\0\100\0\0\0\100\240\0\0\100\100\0\0\100\300\0\0'; } > fortran.npy
  $ { npy '<f2' False '5,'; printf '\0\74\0\176\0\174\0\0\0\300'; } > bad.npy
  $ { npy '|b1' False ''; printf '\1'; } > scalar.npy

  $ nn-weights w.npy
  w	2x3	float32	6	9.53939	3.5	1.70783	1	6	0	0	0
  $ nn-weights --json w.npy
  {"layer":"w","shape":[2,3],"dtype":"float32","count":6,"norm":9.539392014169456,"mean":3.5,"std":1.707825127659933,"min":1.0,"max":6.0,"zeros":0,"nan":0,"inf":0}
  $ nn-weights -s fortran.npy
  fortran	2x3	float32	6	9.53939	3.5	1.70783	1	6	0	0	0	9.50803
  $ nn-weights bad.npy
  bad	5	float16	5	nan	-0.333333	1.24722	-2	1	1	1	1
  $ nn-weights -e w.npy fortran.npy scalar.npy | cut -f1-5,13
  w	2x3	float32	6	9.53939	w.npy
  fortran	2x3	float32	6	9.53939	fortran.npy
  scalar	scalar	bool	1	1	scalar.npy
  $ nn-weights -t w.npy 2>&1 | head -1
  nn-weights: unknown option '-t'

What changed: nothing but the order, and then something.

  $ nn-weights w.npy fortran.npy
  fortran	2x3	same	9.53939	9.53939	0	0	1
  $ { npy '<f4' False '2, 3'; printf '\0\0\0\0\0\0\0\100\0\0\100\100\0\0\200\100\0\0\240\100\0\0\300\100'; } > x.npy
  $ nn-weights w.npy x.npy; nn-weights --json w.npy x.npy
  x	2x3	changed	9.53939	9.48683	1	0.104828	0.99449
  {"layer":"x","shape":[2,3],"what":"changed","before":9.539392014169456,"after":9.486832980505138,"change":1.0,"relative":0.10482848367219183,"cosine":0.9944903161976938}
  $ nn-weights w.npy bad.npy; nn-weights w.npy w.npy
  bad	5	was 2x3	9.53939	nan			
  w	2x3	same	9.53939	9.53939	0	0	1
  $ nn-weights --memory 10 w.npy fortran.npy
  nn-weights: warning: 'w' is too large to be compared in another order: --memory is 10
  fortran	2x3	reordered	9.53939	9.53939			

A file of safetensors: names are chosen by patterns.

  $ data='{"fc/1.weight":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"fc/1.bias":{"dtype":"BF16","shape":[1],"data_offsets":[8,10]}}'
  $ printf '%b\0\0\0\0\0\0\0%s\0\0\100\100\0\0\200\100\200\77' "\\0$(printf %o ${#data})" "$data" > m.safetensors
  $ nn-weights m.safetensors; nn-weights -l '*bias' m.safetensors | cut -f1
  fc/1.weight	2	float32	2	5	3.5	0.5	3	4	0	0	0
  fc/1.bias	1	bfloat16	1	1	1	0	1	1	0	0	0
  fc/1.bias

Into the history: by nn-log, at the counters that are given to it. What is read out of the records needs no run.

  $ nn-weights m.safetensors | nn-log --try -
  1		norm/fc/1.weight	5	weights
  2		norm/fc/1.bias	1	weights
  $ nn-queue init > /dev/null; nn-run -q -- sh -c 'nn-weights m.safetensors | nn-log - epoch=3'
  $ nn-log export last | sed 's/"t":"[^"]*"/"t":T/'
  {"run":1,"t":T,"epoch":3,"norm/fc/1.weight":5,"norm/fc/1.bias":1}
  $ nn-plot -y 'norm/*' --ascii --height 6 --width 60 last | head -1
  1
