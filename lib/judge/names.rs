//! What a variable of interest is, by its name: a loss that is to fall, a score that is to rise, a norm, the time of a
//! step, or something that is neither good nor bad (a learning rate, a counter, an entropy). And of which data: training
//! or held out.
//!
//! Names are cut into words at everything that is no letter or digit and where a capital follows
//! at least four other letters. First
//! come the words that make anything else of it (`loss_scale`, `lr`), then norms, then losses, then scores: what is called
//! a loss is no score, whatever else it is called.

/// What a variable is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Less is better
    Loss,
    /// A loss of players that play against each other, or of reinforcement learning: where it goes says little
    Contest,
    /// More is better; it has a bound, 1 or 100
    Score,
    /// More is better, without a bound: returns, rewards
    Return,
    /// The size of gradients, weights or updates
    Norm,
    /// Seconds or milliseconds a step
    Pace,
    /// Neither
    Other,
}

/// On which data it is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Training data, also when the name does not say
    Train,
    /// Validation or test data
    HeldOut,
}

const LOSSES: [&str; 10] =
    ["loss", "cost", "err", "nll", "ppl", "perplexity", "entropyloss", "xent", "objective", "mse"];
const LOSS_WORDS: [&str; 14] =
    ["mae", "rmse", "mape", "rmsle", "wer", "cer", "bpc", "bpb", "ce", "bce", "fid", "deviance", "crossentropy", "l1"];
const SCORE_WORDS: [&str; 17] = [
    "f1",
    "bleu",
    "auc",
    "auroc",
    "score",
    "map",
    "iou",
    "miou",
    "precision",
    "recall",
    "r2",
    "top1",
    "top5",
    "dice",
    "rouge",
    "acc1",
    "acc5",
];
const RETURN_WORDS: [&str; 6] = ["return", "returns", "reward", "rewards", "rew", "elbo"];
const OTHER_WORDS: [&str; 32] = [
    "lr",
    "rate",
    "scale",
    "scaler",
    "eta",
    "mem",
    "memory",
    "weight",
    "coef",
    "coeff",
    "ratio",
    "count",
    "num",
    "number",
    "speed",
    "throughput",
    "size",
    "momentum",
    "temperature",
    "temp",
    "decay",
    "std",
    "var",
    "variance",
    "grad",
    "seed",
    "eps",
    "epsilon",
    "beta",
    "patience",
    "length",
    "len",
];
const CONTEST_WORDS: [&str; 17] = [
    "d",
    "g",
    "disc",
    "discriminator",
    "gen",
    "generator",
    "adv",
    "adversarial",
    "gan",
    "policy",
    "value",
    "actor",
    "critic",
    "pg",
    "vf",
    "q",
    "td",
];
const CONTEST_NAMES: [&str; 6] = ["errd", "errg", "dloss", "gloss", "lossd", "lossg"];
const HELD_OUT: [&str; 10] =
    ["valid", "validation", "val", "test", "eval", "evaluation", "dev", "heldout", "holdout", "vld"];
const TRAIN: [&str; 5] = ["train", "training", "trn", "tr", "learn"];

/// The words of a name, in small letters.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before = ' ';
    for c in name.chars().take(200) {
        let turns = before.is_lowercase() && c.is_uppercase();
        if c.is_alphanumeric() {
            // Of mAP, mIoU and gLoss the first letters are no word.
            match words.last_mut().filter(|word| before.is_alphanumeric() && !(turns && word.len() > 3)) {
                Some(word) => word.extend(c.to_lowercase()),
                None => words.push(c.to_lowercase().collect()),
            }
        }
        before = c;
    }
    words
}

fn is_in(word: &str, list: &[&str]) -> bool {
    list.contains(&word)
}

/// What a variable is.
pub fn kind(name: &str) -> Kind {
    let words = words(name);
    let any = |list: &[&str]| words.iter().any(|word| is_in(word, list));
    let lower = name.to_ascii_lowercase();
    let is_loss = LOSSES.iter().any(|part| lower.contains(part)) || any(&LOSS_WORDS);
    if words.iter().any(|word| is_in(word, &["norm", "norms", "gnorm", "gradnorm", "l2norm"])) && !is_loss {
        return Kind::Norm;
    }
    if is_pace(&words) {
        return Kind::Pace;
    }
    if is_share(&words) {
        return Kind::Score;
    }
    if any(&OTHER_WORDS)
        || words.iter().any(|word| is_in(word, &["time", "sec", "secs", "seconds", "ms", "fps", "elapsed"]))
    {
        return Kind::Other;
    }
    if is_loss {
        let contest = any(&CONTEST_WORDS) || is_in(&words.concat(), &CONTEST_NAMES);
        return if contest { Kind::Contest } else { Kind::Loss };
    }
    if any(&RETURN_WORDS) {
        return Kind::Return;
    }
    let is_good = |word: &String| is_in(word, &SCORE_WORDS) || word.starts_with("acc") || word.ends_with("acc");
    if words.iter().any(is_good) { Kind::Score } else { Kind::Other }
}

/// How many of all went well: `success_rate`, `winrate`.
fn is_share(words: &[String]) -> bool {
    let is_good = |word: &String| is_in(word, &["success", "win", "winning", "pass", "hit", "solve", "solved"]);
    let pair = |pair: &[String]| is_good(&pair[0]) && is_in(&pair[1], &["rate", "ratio"]);
    words.windows(2).any(pair) || words.iter().any(|word| is_in(word, &["winrate", "successrate"]))
}

/// Seconds a step: `step_time`, `time_per_batch`, `s/it`.
fn is_pace(words: &[String]) -> bool {
    let has = |list: &[&str]| words.iter().any(|word| is_in(word, list));
    let of_step = has(&["step", "batch", "iter", "iteration", "it", "update"]);
    of_step && has(&["time", "s", "sec", "secs", "seconds", "ms"]) && !has(&["samples", "images", "tokens"]) && {
        // 3.2 it/s is the other way round.
        words.last().is_none_or(|last| !is_in(last, &["s", "sec"]) || words.len() > 1 && has(&["time"]))
            || words.first().is_some_and(|first| is_in(first, &["s", "sec", "ms"]))
    }
}

/// On which data it is measured.
pub fn part(name: &str) -> Part {
    let held_out = words(name).iter().any(|word| HELD_OUT.iter().any(|part| starts(word, part)));
    if held_out { Part::HeldOut } else { Part::Train }
}

/// Whether a word begins with this, and with what a name may have glued to it: `valloss`, `testacc`.
fn starts(word: &str, part: &str) -> bool {
    word.strip_prefix(part).is_some_and(|rest| {
        rest.is_empty() || rest.bytes().all(|b| b.is_ascii_digit()) || part.len() > 2 && is_measure(rest)
    })
}

fn is_measure(word: &str) -> bool {
    LOSSES.iter().any(|part| word.starts_with(part)) || is_in(word, &LOSS_WORDS) || word.starts_with("acc")
}

/// The name without what says on which data it is measured: of `train_cost` and `valid_cost` it is the same.
pub fn base(name: &str) -> String {
    let parts = words(name).into_iter().filter_map(|word| {
        let known = HELD_OUT.iter().chain(&TRAIN).find(|part| starts(&word, part));
        match known.and_then(|part| word.strip_prefix(part)) {
            None => Some(word),
            Some(rest) => is_measure(rest).then(|| rest.to_string()),
        }
    });
    parts.collect()
}

/// Whether this is what is trained for, and no part of it: `loss`, `train_cost`; not `box_loss`.
pub fn is_main(name: &str) -> bool {
    let base = base(name);
    is_in(
        &base,
        &[
            "loss",
            "cost",
            "nll",
            "totalloss",
            "lossval",
            "lossavg",
            "avgloss",
            "meanloss",
            "epochloss",
            "ppl",
            "perplexity",
            "err",
            "error",
            "mse",
            "crossentropy",
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_way_is_better() {
        for name in ["valid_acc", "accuracy", "test/top1-acc", "mAP", "val_mIoU", "episode_return", "eval.f1", "valacc"]
        {
            assert!(matches!(kind(name), Kind::Score | Kind::Return), "{name}");
        }
        for name in ["valid_cost", "mape", "accumulated_loss", "score_loss", "error", "val_ppl", "epoch_time"] {
            assert!(!matches!(kind(name), Kind::Score | Kind::Return), "{name}");
        }
    }

    #[test]
    fn kinds() {
        for (name, is) in [
            ("loss", Kind::Loss),
            ("trainLoss", Kind::Loss),
            ("Loss_D", Kind::Contest),
            ("errG", Kind::Contest),
            ("policy_loss", Kind::Contest),
            ("loss_scale", Kind::Other),
            ("lr", Kind::Other),
            ("learning rate", Kind::Other),
            ("grad_norm", Kind::Norm),
            ("gnorm", Kind::Norm),
            ("weight-norm/layer1", Kind::Norm),
            ("val_normalized_acc", Kind::Score),
            ("step_time", Kind::Pace),
            ("it/s", Kind::Other),
            ("s/it", Kind::Pace),
            ("epoch_time", Kind::Other),
            ("mean_reward", Kind::Return),
            ("elbo", Kind::Return),
            ("success_rate", Kind::Score),
            ("eval/winrate", Kind::Score),
            ("learning_rate", Kind::Other),
            ("entropy", Kind::Other),
            ("bits", Kind::Other),
            ("", Kind::Other),
        ] {
            assert_eq!(kind(name), is, "{name}");
        }
    }

    #[test]
    fn parts() {
        for (name, of, rest) in [
            ("loss", Part::Train, "loss"),
            ("train_cost", Part::Train, "cost"),
            ("val_loss", Part::HeldOut, "loss"),
            ("validLoss", Part::HeldOut, "loss"),
            ("valloss", Part::HeldOut, "loss"),
            ("test/acc", Part::HeldOut, "acc"),
            ("Valid-cost", Part::HeldOut, "cost"),
            ("value_loss", Part::Train, "valueloss"),
            ("developer", Part::Train, "developer"),
        ] {
            assert_eq!((part(name), base(name).as_str()), (of, rest), "{name}");
        }
        assert!(is_main("train_loss") && is_main("cost") && !is_main("box_loss"));
    }
}
