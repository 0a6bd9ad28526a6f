//! What names mean in logs: which say where a line stands, which set of data it speaks of, which are surely metrics and
//! which never are. Compared in one spelling: lower case, blanks and dashes as `_`, without a trailing dot.

/// A key in the one spelling; keys that are longer than any known word are cut.
#[derive(Debug)]
pub struct Plain {
    text: [u8; 32],
    len: usize,
}

impl Plain {
    /// Spells a key.
    pub fn of(key: &str) -> Plain {
        let mut plain = Plain { text: [0; 32], len: 0 };
        for b in key.trim().trim_end_matches(['.', '#', ' ']).bytes() {
            let b = if matches!(b, b' ' | b'\t' | b'-' | b'_') { b'_' } else { b.to_ascii_lowercase() };
            if b == b'_' && plain.len > 0 && plain.text[plain.len - 1] == b'_' {
                continue;
            }
            if plain.len == plain.text.len() {
                break;
            }
            plain.text[plain.len] = b;
            plain.len += 1;
        }
        plain
    }

    /// As text; empty when it was cut inside a character.
    pub fn str(&self) -> &str {
        self.text.get(..self.len).and_then(|t| str::from_utf8(t).ok()).unwrap_or_default()
    }
}

/// What a name counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// Passes through the data
    Epoch,
    /// Updates
    Step,
    /// Updates, when the line has an epoch too: `iters`
    StepOfEpoch,
    /// Position within the epoch
    Batch,
    /// Something else: neither counter nor metric
    Nothing,
}

/// What a key (in the one spelling) counts, None: it may be a metric.
pub fn counts(key: &str) -> Option<Counts> {
    Some(match key {
        "epoch" | "ep" | "epochs_done" | "epochs_seen" | "epoch_num" | "cur_epoch" | "current_epoch" => Counts::Epoch,
        "step" | "episode" | "iter" | "iteration" | "it" | "global_step" | "globalstep" | "num_updates" | "update"
        | "up" | "_step" | "updates" | "batches_seen" | "iterations_done" | "total_timesteps" | "timestep"
        | "timesteps" | "iter_num" | "train_step" | "training_step" | "current_step" | "n_iter" | "niter" => {
            Counts::Step
        }
        "steps" | "iters" | "iterations" => Counts::StepOfEpoch,
        "batch" | "minibatch" | "mini_batch" | "batch_idx" => Counts::Batch,
        "eta" | "remaining" | "elapsed" | "elapsed_time" | "time_taken" | "total_time" | "time_left" | "v_num"
        | "seed" | "batch_size" | "batchsize" | "num_epochs" | "epochs" | "max_epochs" | "total_epochs"
        | "max_steps" | "n_epochs" | "micro_step" | "examples_seen" | "sen" | "rank" | "pid" | "port" | "version"
        | "took" | "num_workers" | "_timestamp" | "_runtime" | "_wandb" | "timestamp" | "time_ms" | "max_iters"
        | "max_iter" | "local_rank" => Counts::Nothing,
        "total" => Counts::Nothing,
        _ if key.strip_suffix("_num_updates").is_some_and(|of| split(of).is_some()) => Counts::Step,
        _ => return None,
    })
}

/// Which data a word speaks of, as the prefix of names.
pub fn split(word: &str) -> Option<&'static str> {
    if !(3..=11).contains(&word.len()) {
        return None;
    }
    Some(match Plain::of(word).str() {
        "train" | "training" | "train_inner" => "train/",
        "val" | "valid" | "validation" | "eval" | "evaluation" | "dev" => "val/",
        "test" | "testing" => "test/",
        _ => return None,
    })
}

/// Words between a key's words that make it prose.
pub fn is_prose(word: &str) -> bool {
    if word.len() > 10 {
        return false;
    }
    matches!(
        Plain::of(word).str(),
        "to" | "from"
            | "at"
            | "in"
            | "is"
            | "was"
            | "are"
            | "were"
            | "took"
            | "takes"
            | "after"
            | "before"
            | "and"
            | "or"
            | "with"
            | "for"
            | "than"
            | "by"
            | "on"
            | "as"
            | "a"
            | "an"
            | "not"
            | "did"
            | "reached"
            | "improved"
            | "improve"
            | "decreased"
            | "increased"
            | "saving"
            | "saved"
            | "saves"
            | "loading"
            | "loaded"
            | "using"
            | "stalled"
            | "reducing"
            | "reduced"
            | "setting"
            | "set"
            | "until"
            | "every"
            | "only"
            | "wrote"
            | "writing"
            | "found"
            | "created"
            | "about"
            | "over"
            | "last"
            | "new"
            | "finished"
            | "waiting"
            | "epoch"
            | "epochs"
            | "step"
            | "steps"
            | "process"
            | "port"
            | "line"
            | "version"
            | "gpu"
            | "rank"
            | "took:"
            | "eta"
    )
}

/// Verbs that make a would-be table header a sentence.
pub fn is_verb(word: &str) -> bool {
    matches!(word, "is" | "was" | "has" | "done" | "took" | "finished" | "started" | "completed" | "of" | "and" | "the")
}

/// Words that show a key to be the report of a search, not of this moment.
pub fn is_verdict(word: &str) -> bool {
    matches!(
        Plain::of(word).str(),
        "improved" | "improve" | "reached" | "reducing" | "reduced" | "did" | "tol" | "saving"
    )
}

/// Whether a key surely names a metric: one of its words is a known one.
pub fn is_metric(key: &str) -> bool {
    if key.ends_with("/sec") || key.ends_with("/s") {
        return true;
    }
    key.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| {
        let word = part.trim_end_matches(|c: char| c.is_ascii_digit());
        !word.is_empty() && is_metric_word(Plain::of(word).str(), part.len() > word.len())
            || part.len() > 4 && ["loss", "acc", "error", "score"].iter().any(|m| camel_ends(part, m))
    })
}

/// `valLoss` and the like: a capital starts the known word.
fn camel_ends(part: &str, word: &str) -> bool {
    let Some(start) = part.len().checked_sub(word.len()) else { return false };
    part.get(start..)
        .is_some_and(|end| end.starts_with(|c: char| c.is_ascii_uppercase()) && end.eq_ignore_ascii_case(word))
}

/// Whether a word of a key makes it a setting or a verdict in spite of its other words.
pub fn is_setting(key: &str) -> bool {
    key.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| {
        matches!(
            Plain::of(word).str(),
            "best"
                | "scale"
                | "scaler"
                | "function"
                | "fn"
                | "weight"
                | "weights"
                | "code"
                | "threshold"
                | "tolerance"
                | "tol"
                | "coef"
                | "coefficient"
                | "target"
                | "type"
                | "max"
                | "min"
                | "limit"
                | "num"
                | "number"
                | "warning"
                | "patience"
                | "margin"
                | "ratio"
                | "smoothing"
                | "of"
        )
    })
}

fn is_metric_word(word: &str, numbered: bool) -> bool {
    match word {
        "loss" | "losses" | "acc" | "accuracy" | "error" | "err" | "errors" | "score" | "cost" | "nll" | "ppl" => true,
        "perplexity" | "auc" | "auroc" | "bleu" | "precision" | "recall" | "reward" | "return" | "mse" | "mae" => true,
        "rmse" | "iou" | "miou" | "wer" | "cer" | "rouge" | "psnr" | "ssim" | "fid" | "kl" | "entropy" | "logloss" => {
            true
        }
        "xent" | "objective" | "misclass" | "dice" | "correct" | "likelihood" | "elbo" | "bpc" | "bpb" | "metric" => {
            true
        }
        "fitness" | "mcc" | "kappa" | "ndcg" | "mrr" | "map" | "map50" | "gnorm" | "fscore" | "energy"
        | "divergence" => true,
        "regret" | "logprob" | "ce" | "bce" | "r" if word != "r" || numbered => true,
        "top" | "f" | "hits" | "ap" | "ar" => numbered || word == "ap",
        _ => false,
    }
}

/// Words that may stand before a counter without a meaning of their own: `* Finished epoch # 1`.
pub fn is_filler(word: &str) -> bool {
    !word.bytes().any(|b| b.is_ascii_alphanumeric())
        || matches!(
            Plain::of(word).str(),
            "finished"
                | "end"
                | "of"
                | "begin"
                | "start"
                | "starting"
                | "online"
                | "saving"
                | "dict"
                | "for"
                | "log"
                | "records"
                | "from"
                | "the"
                | "done"
                | "completed"
                | "complete"
                | "results"
                | "summary"
                | "stats"
                | "on"
                | "finishing"
                | "running"
                | "current"
                | "report"
                | "metrics"
                | "progress"
                | "info"
                | "status"
        )
}
