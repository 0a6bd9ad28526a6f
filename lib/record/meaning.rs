//! What the name of a variable tells: whether it is one to judge by, and which way is better.

/// Which of two variables says more of how a run goes: the lesser. Of validation or test before others, costs and
/// scores before the rest.
pub fn weight(name: &str) -> (bool, bool) {
    let name = name.to_ascii_lowercase();
    let held_out = ["valid", "val", "test", "eval", "dev"].iter().any(|w| name.starts_with(w));
    let judged = ["cost", "loss", "err", "acc", "ppl", "score", "return", "reward", "f1", "bleu", "auc"];
    (!held_out, !judged.iter().any(|w| name.contains(w)))
}

const GOOD: [&str; 25] = [
    "f1",
    "bleu",
    "auc",
    "auroc",
    "return",
    "returns",
    "reward",
    "rewards",
    "elbo",
    "score",
    "map",
    "iou",
    "miou",
    "dice",
    "precision",
    "recall",
    "r2",
    "psnr",
    "ssim",
    "ndcg",
    "mrr",
    "rouge",
    "success",
    "win",
    "winrate",
];

/// Whether more of a variable is better, by the words of its name. What is called a loss is none of these.
pub fn rises(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let mut words = name.split(|c: char| !c.is_alphanumeric());
    let is_good = |word: &str| GOOD.contains(&word) || word.starts_with("acc") || word.ends_with("acc");
    let bad = ["loss", "cost", "err", "ppl"];
    !bad.iter().any(|word| name.contains(word)) && words.any(is_good)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_way_is_better() {
        for name in [
            "valid_acc",
            "accuracy",
            "test/top1-acc",
            "mAP",
            "val_mIoU",
            "episode_return",
            "eval.f1",
            "valacc",
            "success_rate",
            "win_rate",
            "elbo",
        ] {
            assert!(rises(name), "{name}");
        }
        for name in [
            "valid_cost",
            "mape",
            "accumulated_loss",
            "score_loss",
            "error",
            "val_ppl",
            "epoch_time",
            "dice_loss",
            "window",
        ] {
            assert!(!rises(name), "{name}");
        }
    }

    #[test]
    fn what_to_judge_by() {
        let mut names = ["lr", "train_loss", "val_loss", "valid_time"];
        names.sort_by_key(|name| weight(name));
        assert_eq!(names, ["val_loss", "valid_time", "train_loss", "lr"]);
    }
}
