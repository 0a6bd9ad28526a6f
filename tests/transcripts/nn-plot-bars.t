One number for each of many things, such as the error for each input feature: the last values as bars, the greatest first.

  $ nn-queue init > /dev/null
  $ nn-run -q -- nn-log epoch=1 error/age=9 error/height=9 error/weight=9
  $ nn-run -q -- sh -c 'nn-log epoch=2 error/age=0.5 error/height=2 error/blood_pressure=1.25 error/sex=nan cost=3'
  $ nn-plot --bars -y 'error/*' --width 60 2
  error 2
  height         ████████████████████████████████████████ 2
  blood_pressure █████████████████████████ 1.25
  age            ██████████ 0.5
  sex             nan
  $ nn-plot --bars -y 'error/*' --width 60 --ascii --title 'what is hard' 1 2
  what is hard
  # run 1
  = run 2
  age            ######################################## 9
                 == 0.5
  height         ######################################## 9
                 ========= 2
  weight         ######################################## 9
                  -
  blood_pressure  -
                 ====== 1.25
  sex             -
                  nan
  $ nn-plot --bars -y cost,error/age --width 40 --ascii 2
  2
  cost      ########################## 3
  error/age #### 0.5
  $ nn-log export --csv 2 > t.csv; printf 'epoch,a,b\n1,-1,2\n2,-2,1\n' > t.csv; nn-plot --bars -y '?' --width 40 t.csv
  t.csv
  b                        ███████████▋ 1
  a ███████████████████████ -2

As pictures they are as high as it takes.

  $ nn-plot --bars -y 'error/*' -o bars.svg 2; grep -o 'height="[0-9]*"' bars.svg; grep -c '<polygon' bars.svg
  height="110"
  4
  $ nn-plot --bars -y 'error/*' -o bars.png 2; head -c 4 bars.png | tail -c 3; echo
  PNG
  $ nn-plot --bars -y 'error/*' --size 300x64 --format svg -o - 2 | grep -o 'and [0-9]* more'
  and 3 more

What does not go together, and nothing to draw.

  $ nn-plot --bars --log -y cost 2 2>&1 | head -1
  nn-plot: --bars has no axes: neither --along, --log, --smooth, --ymin, --ymax nor --full go with it
  $ nn-plot --bars -y 'nothing/*' 2
  nn-plot: there is no 'nothing/*' here; there are: error/age, error/height, error/blood_pressure, error/sex, cost
  [2]
