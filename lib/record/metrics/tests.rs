//! Logs in the form of many programs, with numbers of our own, and what should come out of them; and texts in which
//! nothing is a metric.

use super::*;
use crate::record::lines::LineReader;

/// What is found in a log: `LINE COUNTERS: NAME=VALUE…` a line.
fn found(log: &str) -> Vec<String> {
    let mut shown = Vec::new();
    let mut recogniser = Recogniser::new();
    let mut show = |found: &Found| {
        let all = |pairs: Vec<(&str, f64)>| pairs.iter().map(|(n, x)| format!("{n}={x}")).collect::<Vec<_>>().join(" ");
        let (at, values) = (all(found.point.counters().collect()), all(found.point.values().collect()));
        shown.push(format!("{} {at}: {values}", found.line));
    };
    let mut reader = LineReader::new();
    reader.feed(log.as_bytes(), &mut |number, text| recogniser.line(number, text, &mut show));
    reader.finish(&mut |number, text| recogniser.line(number, text, &mut show));
    recogniser.finish(&mut show);
    shown
}

fn check(cases: &[(&str, &[&str])]) {
    for (log, wanted) in cases {
        assert_eq!(found(log), *wanted, "\n{log}");
    }
}

#[test]
fn counters_at_the_head() {
    check(&[
        ("Epoch 3/10: loss=0.5", &["1 epoch=3: loss=0.5"]),
        ("Epoch: 0001 cost= 0.5 acc = 1", &["1 epoch=1: cost=0.5 acc=1"]),
        ("epoch=3 step=7 loss=nan", &["1 epoch=3 step=7: loss=NaN"]),
        (
            "Epoch: [1][  10/50]\tTime  1.5 (  1.6)\tAcc@1  12.50 ( 11.00)",
            &["1 epoch=1 batch=10 batches=50: Time=1.5 Acc@1=12.5"],
        ),
        (
            "Epoch: [2]  [ 0/50]  eta: 1 day, 2:03:04  lr: 0.1  max mem: 7",
            &["1 epoch=2 batch=0 batches=50: lr=0.1 max_mem=7"],
        ),
        ("Epoch [5/10], Step [100/600], Loss: 0.5", &["1 epoch=5 batch=100 batches=600: Loss=0.5"]),
        ("Train Epoch: 1 [20/60 (33%)]\tLoss: 1.5", &["1 epoch=1 batch=20 batches=60: train/Loss=1.5"]),
        ("Epoch(val) [1][5/29]    acc: 53.5  time: 0.5", &["1 epoch=1 batch=5 batches=29: val/acc=53.5 val/time=0.5"]),
        ("[1/25][3/9] Loss_D: 1.5 D(G(z)): 0.6 / 0.01", &["1 epoch=1 batch=3 batches=9: Loss_D=1.5 D(G(z))=0.6"]),
        ("[Epoch 0 Batch 10/100] loss=2.5, wps=1.5K", &["1 epoch=0 batch=10 batches=100: loss=2.5 wps=1.5"]),
        ("Epoch[0] Batch [0-20]\tSpeed: 81.5 samples/sec\tacc=0.5", &["1 epoch=0 batch=20: Speed=81.5 acc=0.5"]),
        (" iteration   20/ 400 | lm loss: 1.5E+01 | grad norm: nan |", &["1 step=20: lm_loss=15 grad_norm=NaN"]),
        ("iter 5: loss 2.5, time 95.98ms, mfu -100.00%", &["1 step=5: loss=2.5 time=95.98 mfu=-100"]),
        ("step:5/90 val_loss:6.5 train_time:43ms step_avg:nanms", &["1 step=5: val_loss=6.5 train_time=43"]),
        (
            "[7]\ttrain-auc:0.5+0.25\ttest's x: 1.5 + 0.5",
            &["1 step=7: train-auc=0.5 train-auc.std=0.25 test's_x=1.5 test's_x.std=0.5"],
        ),
        ("7:\ttest: 0.5\tbest: 0.75 (3)\ttotal: 5ms\tremaining: 1m 3s", &["1 step=7: test=0.5 best=0.75"]),
        ("loss = 4.5, step = 100 (124.394 sec)", &["1 step=100: loss=4.5"]),
        ("e 1, i 50:V_C inf, V_de 0.5 1.5 2", &["1 epoch=1 step=50: V_C=inf V_de.0=0.5 V_de.1=1.5 V_de.2=2"]),
        ("1epoch:train:1-682batch: loss=80.5, acc=0.25", &["1 epoch=1 batch=682: train/loss=80.5 train/acc=0.25"]),
        ("epoch=0/micro_step=9/global_step=4, Speed=51.5, Mem=4.5GB", &["1 epoch=0 step=4: Speed=51.5 Mem=4.5"]),
        ("step=10, skipped=0, lr=[1e-3, 2e-3], mom=[(0.9, 0.999)]", &["1 step=10: skipped=0 lr.0=0.001 lr.1=0.002"]),
        (
            "Ep. 1 : Up. 20 : Sen. 33,345 : Cost 6.5 * 1,234 @ 5 after 9 : Time 1.5s : L.r. 2e-5",
            &["1 epoch=1 step=20: Cost=6.5 Time=1.5 L.r.=0.00002"],
        ),
        ("Step 50/900; acc:   3.5; ppl: 12.5; 1234/5678 tok/s;   12 sec", &["1 step=50: acc=3.5 ppl=12.5"]),
        ("validation loss at iteration 9 | lm loss value: 5.5 |", &["1 step=9: val/lm_loss_value=5.5"]),
        (
            "Training Results - Epoch: 1  Avg accuracy: 0.5 Avg loss: 1.5",
            &["1 epoch=1: train/Avg_accuracy=0.5 train/Avg_loss=1.5"],
        ),
        (
            "Epoch 3 train: loss 0.5 acc 0.75 | val: loss 0.25",
            &["1 epoch=3: train/loss=0.5 train/acc=0.75 val/loss=0.25"],
        ),
        ("0 [D loss: 0.5, acc.: 51.5%] [G loss: 0.75]", &["1 step=0: D_loss=0.5 acc.=51.5 G_loss=0.75"]),
        (" 9: 612.5, 613.5 avg, 0.001 rate, 5.1 seconds, 64 images", &["1 step=9: loss=612.5 avg=613.5 rate=0.001"]),
    ]);
}

#[test]
fn what_stays_in_force() {
    check(&[
        (
            "Epoch 1/2\n 5/9 [=>..] - ETA: 0s - loss: 2.5\n9/9 [====] - 0s 5ms/step - loss: 2 - val_loss: 1.5",
            &["2 epoch=1 batch=5 batches=9: loss=2.5", "3 epoch=1 batch=9 batches=9: loss=2 val_loss=1.5"],
        ),
        (
            "Iteration 1, loss = 2.5\nValidation score: 0.155",
            &["1 step=1: loss=2.5", "2 step=1: Validation_score=0.155"],
        ),
        ("epoch 1, step 50: x 0.5\nstep 7, x 0.25", &["1 epoch=1 step=50: x=0.5", "2 step=7: x=0.25"]),
        ("Epoch 4\nstep 7: x 0.25\nstep 8: x 0.5", &["2 epoch=4 step=7: x=0.25", "3 epoch=4 step=8: x=0.5"]),
        (
            "Train Epoch: 1 [2/6]\tLoss: 1.5\nTest set: Average loss: 0.5, Accuracy: 90/100 (90%)",
            &["1 epoch=1 batch=2 batches=6: train/Loss=1.5", "2 epoch=1: test/Average_loss=0.5 test/Accuracy=0.9"],
        ),
        (
            "Epoch: [0][1/9]  loss: 0.5\nTest: [ 3/5]  loss: 0.25 (0.25)\n * Acc@1 70.5 Acc@5 90.5",
            &[
                "1 epoch=0 batch=1 batches=9: loss=0.5",
                "2 epoch=0 batch=3 batches=5: test/loss=0.25",
                "3 epoch=0: Acc@1=70.5 Acc@5=90.5",
            ],
        ),
        (
            "Iteration 20, loss = 1.5\n    Test net output #0: accuracy = 0.75 (* 1 = 0.75 loss)",
            &["1 step=20: loss=1.5", "2 step=20: test/accuracy=0.75"],
        ),
        (
            "EPOCH 1 done: loss 1.5\nDEV : loss 0.5 - f1 (micro)  0.75",
            &["1 epoch=1: loss=1.5", "2 epoch=1: val/loss=0.5 val/f1_(micro)=0.75"],
        ),
    ]);
}

#[test]
fn blocks_below_a_heading() {
    check(&[
        (
            "Monitoring step:\n\tEpochs seen: 1\n\tBatches seen: 100\n\tExamples seen: 900\n\ttrain_nll: 0.5\n\tw_max: 2\nTime this epoch: 0.5 seconds",
            &["5 epoch=1 step=100: train_nll=0.5", "6 epoch=1 step=100: w_max=2"],
        ),
        (
            "Epoch 1 of 3 took 5.341s\n  training loss:\t\t2.5\n  validation accuracy:\t\t79.5 %\nFinal results:\n  test loss:\t\t0.25",
            &["2 epoch=1: training_loss=2.5", "3 epoch=1: validation_accuracy=79.5", "5 : test_loss=0.25"],
        ),
        (
            "Training status:\n\t epochs_done: 1\n\t iterations_done: 5\n\t resumed_from: None\nLog records from the iteration 5:\n\t saved_to: ('x.pkl',)\n\t cost: 0.5",
            &["7 epoch=1 step=5: cost=0.5"],
        ),
        (
            "<trainer> on training set:\n<trainer> online epoch # 1 [batchSize = 10]\n [=== 20/20 ===>]  Tot: 3s512ms | Step: 1ms\n<trainer> time to learn 1 sample = 1.5ms\n + global correct: 82.5%\n<trainer> on testing Set:\n + average row correct (VOC): 75.5% ",
            &[
                "4 epoch=1: train/time_to_learn_1_sample=1.5",
                "5 epoch=1: train/global_correct=82.5",
                "7 epoch=1: test/average_row_correct_(VOC)=75.5",
            ],
        ),
        (
            "***** eval metrics *****\n  epoch         =        3.0\n  eval_loss     =     0.5\n  eval_runtime  = 0:00:03.21",
            &["3 epoch=3: eval_loss=0.5"],
        ),
        (
            "wandb: Run summary:\nwandb:   accuracy 0.5\nwandb:      epoch 9\nwandb:\nwandb: Synced 5 files",
            &["2 epoch=9: accuracy=0.5"],
        ),
        (
            "2026-01-01 10:00:00,1 - INFO - a.b - Epoch 0/9\n2026-01-01 10:00:00,1 - INFO - a.b -    Training |  Validation\n2026-01-01 10:00:00,1 - INFO - a.b - loss  |  0.5 |  N/A",
            &["3 epoch=0: train/loss=0.5"],
        ),
    ]);
}

#[test]
fn tables_boxes_objects_and_bars() {
    check(&[
        (
            "  Epoch   box_loss   Size\n    1/2    0.5    64: 100% ━━━ 2/2 3.2it/s\n   Class  Images  Instances  Box(P   mAP50): 100% ━━ 1/1\n   all   4   9   0.5   0.25",
            &["2 epoch=1: box_loss=0.5 Size=64", "4 epoch=1: P=0.5 mAP50=0.25"],
        ),
        (
            "epoch     train_loss  time\n0         0.5         00:01\n1         0.25        00:01",
            &["2 epoch=0: train_loss=0.5", "3 epoch=1: train_loss=0.25"],
        ),
        ("| epoch | loss |\n|-------|------|\n| 1     | 0.5  |", &["3 epoch=1: loss=0.5"]),
        ("epoch,loss,acc\r\n1,0.5,\r\n2,inf,0.75\r\n", &["2 epoch=1: loss=0.5", "3 epoch=2: loss=inf acc=0.75"]),
        (
            "----------\n| rollout/ |   |\n|    rew   | 22.5 |\n| time/    |   |\n|    total_timesteps | 2048 |\n----------",
            &["3 step=2048: rollout/rew=22.5"],
        ),
        ("┃ Validate metric ┃ DataLoader 0 ┃\n│     val_acc     │     0.5      │\n└──┘\ntext", &["2 : val_acc=0.5"]),
        (
            "2026-03-08 12:30:12 | INFO | train | {\"epoch\": 1, \"loss\": \"15.5\", \"num_updates\": \"2\"}",
            &["1 epoch=1 step=2: loss=15.5"],
        ),
        ("{'loss': 0.5, 'epoch': 0.25, 'lr': np.float64(0.125)}", &["1 epoch=0.25: loss=0.5 lr=0.125"]),
        (
            "\rEpoch 0:   0%|     | 0/9 [00:00<?, ?it/s]\rEpoch 0: 100%|█████| 9/9 [00:01<00:00, 5.9it/s, v_num=0, loss=0.5]\n",
            &["1 epoch=0 batch=9 batches=9: loss=0.5"],
        ),
        (
            "\u{1b}[1m12/12\u{1b}[0m ━━━━━ \u{1b}[1m2s\u{1b}[0m 9ms/step - loss: 2.5\u{8}\u{8}\u{8}",
            &["1 batch=12 batches=12: loss=2.5"],
        ),
    ]);
}

#[test]
fn nothing_in_prose() {
    let prose = "Epoch 3/10
Listening at http://127.0.0.1:6006/ (PID: 1234) on node12:29500
TensorBoard 2.15.1 at 10.0.0.5, CUDA version: 12.1, driver 535.104.05
11493376/11490434 [==============================] - 3s 0us/step
 45%|████▌     | 450/1000 [00:12<00:15, 36.2it/s]
Memory usage: 1234.5 MB (45.2%), disk 82% full, took 3.2 minutes
Elapsed: 0:12:33.25, ETA: 3h 20m, Time: 12:30:05 on 2026-11-22
Error: 404
error code: 700, precision: 16, Loss scale: 65536.0
Tried to allocate 2.00 GiB (GPU 0; 15.78 GiB total capacity; 13.02 GiB already allocated)
Namespace(batch_size=64, epochs=14, lr=1.0, gamma=0.7, no_cuda=False, dry_run=False)
{'lr': 0.1, 'batch_size': 64, 'optimizer': 'sgd', 'name': 'x'}
optimizer: SGD(lr=0.1, momentum=0.9), dropout: 0.1, loss_weights = [1.0, 0.5]
(0): Linear(in_features=784, out_features=100, bias=True)
| dense_1 | 7850 |
[1] 1234
val split: 0.2
Best validation score of 1.69 % obtained at iteration 172000, with test performance 1.65 %
Epoch 00002: val_loss improved from 0.5 to 0.25, saving model to w.01-0.25.hdf5
Epoch 2, global step 300: val_loss reached 0.23 (best 0.23), saving model to \"/x/y.ckpt\" as top 1
Epoch 2: ReduceLROnPlateau reducing learning rate to 0.0001.
Stopping training due to num_updates: 10 >= max_update: 10
Starting epoch 4 on node17 with 8 GPUs at 2026-01-01 10:00
Step 100: host 10.0.0.1 port 5000, saved 5 checkpoints in 3.2 s";
    let prose = prose.lines().map(|line| format!("{}\n", line.trim_start())).collect::<String>();
    assert_eq!(found(&prose), [""; 0]);
    let settings = "epochs=2, batch=4, lr=0.5, momentum=0.9\nloss: 0.5\nlr: 0.1\n3 of 5\nh0_W: 0.05\n";
    assert_eq!(found(settings), [""; 0], "no counter, no value");
}

#[test]
fn hostile_input() {
    let mut recogniser = Recogniser::new();
    let long = [
        "x".repeat(1 << 20),
        "1".repeat(1 << 16),
        "a=1 ".repeat(1 << 14),
        "epoch=1 a=[".repeat(6000),
        "epoch 1 (((((".repeat(5000),
        "{\"a\":".repeat(10_000),
        "epoch=1 ".to_string() + &"b ".repeat(30_000) + "=1",
        "| a | 1 |".repeat(5000),
        "1e999 epoch=1e400 loss=1e400 99999999999999999999/99999999999999999999999".into(),
        "epoch\u{300}=١ loss=٢ ━━━ 1️⃣ é=1".into(),
        ", , , = = : : [ ] ( ) { } | | - - ' \" ` % # @".into(),
    ];
    for text in &long {
        recogniser.line(1, text, &mut |_| {});
        recogniser.line(2, &format!("epoch,{text}"), &mut |_| {});
        recogniser.line(3, &format!("Epoch 1: {text}"), &mut |_| {});
    }
    recogniser.finish(&mut |_| {});
    let sample = "Epoch: [1][ 0/9] | {'a': 1, 'b': [2]} 50%|██| 5/9 [00:01<00:02, a=1] (x) -0.5e-3+1 nan\t|";
    for (from, _) in sample.char_indices() {
        for (to, _) in sample.char_indices().filter(|(to, _)| *to > from) {
            recogniser.line(1, &sample[from..to], &mut |_| {});
        }
    }
}
