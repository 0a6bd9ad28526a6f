//! How far a run is: by the counter that a parameter tells the end of (`epochs=200`). What is left follows from the pace
//! between two of its places.

use crate::base::json::Value;
use std::time::Duration;

/// Parameters that tell how many epochs or steps there will be.
const ENDS: [(&str, &[&str]); 3] = [
    ("epoch", &["epochs", "n_epochs", "num_epochs", "max_epochs", "nb_epoch", "nepochs", "num_train_epochs"]),
    ("step", &["steps", "max_steps", "n_steps", "num_steps", "total_steps", "train_steps"]),
    ("iter", &["iterations", "iters", "max_iter", "max_iters", "n_iter"]),
];

/// Where a counter ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Goal {
    /// The counter
    pub counter: &'static str,
    /// Its last value
    pub end: f64,
}

/// What the parameters of a job tell of its end.
pub fn goals(params: &[(String, Value)]) -> Vec<Goal> {
    let is_one = |names: &[&str], name: &str| names.contains(&name.to_ascii_lowercase().replace('-', "_").as_str());
    let goal = |(counter, names): &(&'static str, &[&str])| {
        let (_, value) = params.iter().find(|(name, _)| is_one(names, name))?;
        value.as_num().filter(|end| *end > 0.0).map(|end| Goal { counter, end })
    };
    ENDS.iter().filter_map(goal).collect()
}

/// A counter of a place, an epoch with the part of it that is over where that is known.
pub fn place(at: &[(String, f64)], counter: &str) -> Option<f64> {
    let get = |name: &str| at.iter().find(|(n, _)| n == name).map(|(_, value)| *value);
    let whole = get(counter)?;
    match (counter, get("batch"), get("batches")) {
        ("epoch", Some(batch), Some(batches)) if batches > 0.0 => Some(whole - 1.0 + (batch / batches).min(1.0)),
        _ => Some(whole),
    }
}

/// The first goal whose counter the place has, and where that counter is.
pub fn toward(goals: &[Goal], at: &[(String, f64)]) -> Option<(Goal, f64)> {
    goals.iter().find_map(|goal| Some((*goal, place(at, goal.counter)?)))
}

/// How long the rest takes, when so much time passed between a first place and this one.
pub fn left(goals: &[Goal], first: &[(String, f64)], now: &[(String, f64)], passed: Duration) -> Option<Duration> {
    let (goal, at) = toward(goals, now)?;
    let advanced = at - place(first, goal.counter)?;
    let left = (goal.end - at).max(0.0) * passed.as_secs_f64() / advanced;
    Duration::try_from_secs_f64(left).ok().filter(|_| advanced > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left() {
        let goals = goals(&[("lr".into(), Value::from(0.1)), ("Max-Epochs".into(), Value::from(10u64))]);
        assert_eq!(goals, [Goal { counter: "epoch", end: 10.0 }]);
        let at = |epoch: f64, batch: f64| {
            vec![("epoch".to_string(), epoch), ("batch".to_string(), batch), ("batches".to_string(), 100.0)]
        };
        assert_eq!(toward(&goals, &at(3.0, 50.0)).map(|(_, at)| at), Some(2.5));
        let (first, hour) = (at(1.0, 0.0), Duration::from_secs(3600));
        assert_eq!(left(&goals, &first, &at(3.0, 50.0), hour), Some(hour * 3));
        assert_eq!(left(&goals, &first, &first, hour), None);
        assert_eq!(left(&[], &first, &at(3.0, 50.0), hour), None);
        assert_eq!(left(&goals, &first, &at(12.0, 0.0), hour), Some(Duration::ZERO));
    }
}
