//! Rules at work: what a condition says of a judge, and since when. A condition is looked at when one of its variables has
//! a new value, a variable or a resource. Of what is not known it says nothing, neither yes
//! nor no. What has been said is not said again before the condition has been false for a while.

use super::channel::Channel;
use super::event::Alarm;
use crate::base::text::did_you_mean;
use crate::base::time::Time;
use crate::spool::rule::{Action, Condition, Hold, Op, Pick, RESOURCES, Rule};

/// A rule and what is known of it.
#[derive(Clone, Debug)]
struct Standing {
    rule: Rule,
    points: u64,
    since: Option<Time>,
    alarm: Alarm,
}

/// What conditions look at.
pub struct Sight<'a> {
    /// The variables
    pub channels: &'a [Channel],
    /// Resources by their names
    pub resources: &'a [(&'static str, f64)],
    /// The epoch
    pub epoch: Option<f64>,
    /// Now
    pub t: Option<Time>,
}

/// The rules of a run.
#[derive(Clone, Debug, Default)]
pub struct Rules(Vec<Standing>);

/// A rule that fired, and the values it looked at.
pub struct Fired {
    /// The rule
    pub rule: Rule,
    /// Names and values
    pub values: Vec<(String, f64)>,
}

impl Rules {
    /// Of these rules.
    pub fn new(rules: Vec<Rule>) -> Rules {
        let standing = |rule| Standing { rule, points: 0, since: None, alarm: Alarm::default() };
        Rules(rules.into_iter().map(standing).collect())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one names any of these.
    pub fn name_any(&self, names: &[&str]) -> bool {
        self.0.iter().any(|standing| standing.rule.names().iter().any(|name| names.contains(name)))
    }

    /// An attempt has ended, and another goes on: nothing has held in between, and what is to end an attempt ends this one
    /// as well.
    pub fn pause(&mut self) {
        for standing in &mut self.0 {
            standing.since = None;
            if standing.rule.action == Action::Stop {
                standing.alarm = Alarm::default();
            }
        }
    }

    /// Looks at those that `is_new` concerns: a name that has a new value.
    pub fn look(&mut self, sight: &Sight, is_new: impl Fn(&str) -> bool) -> Vec<Fired> {
        let mut fired = Vec::new();
        for standing in &mut self.0 {
            let names = standing.rule.names();
            if names.iter().any(|name| is_new(name)) && standing.look(sight) {
                let values =
                    standing.rule.names().into_iter().filter_map(|name| Some((name.to_string(), sight.value(name)?)));
                fired.push(Fired { rule: standing.rule.clone(), values: values.collect() });
            }
        }
        fired
    }
}

/// Sentences about names in rules that never came.
pub fn unknown(rules: &[Rule], channels: &[Channel]) -> Vec<String> {
    let mut said = Vec::new();
    for rule in rules {
        for name in rule.names() {
            if !RESOURCES.contains(&name) && !channels.iter().any(|c| c.name == name) {
                let known = channels.iter().map(|c| c.name.as_str()).chain(RESOURCES);
                said.push(format!("rule '{}': there was no variable '{name}'{}", rule.text, did_you_mean(name, known)));
            }
        }
    }
    said
}

impl Standing {
    /// True: it fires.
    fn look(&mut self, sight: &Sight) -> bool {
        let late_enough = self.rule.after_epoch.is_none_or(|after| sight.epoch.is_some_and(|epoch| epoch > after));
        let holds = late_enough && sight.holds(&self.rule.condition) == Some(true);
        if holds {
            self.points += 1;
            self.since = self.since.or(sight.t);
        } else {
            (self.points, self.since) = (0, None);
        }
        let long_enough = match self.rule.hold {
            Hold::Points(points) => self.points >= points,
            Hold::Time(time) => self.since.zip(sight.t).is_some_and(|(since, t)| t.since(since) >= time),
        };
        self.alarm.see(holds && long_enough)
    }
}

impl Sight<'_> {
    fn channel(&self, name: &str) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.name == name)
    }

    fn value(&self, name: &str) -> Option<f64> {
        let resource = self.resources.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        self.channel(name).map(|channel| channel.last).or(resource)
    }

    fn holds(&self, condition: &Condition) -> Option<bool> {
        match condition {
            Condition::Or(any) => {
                let all: Vec<Option<bool>> = any.iter().map(|one| self.holds(one)).collect();
                if all.contains(&Some(true)) { Some(true) } else { (!all.contains(&None)).then_some(false) }
            }
            Condition::And(any) => {
                let all: Vec<Option<bool>> = any.iter().map(|one| self.holds(one)).collect();
                if all.contains(&Some(false)) { Some(false) } else { (!all.contains(&None)).then_some(true) }
            }
            Condition::Not(one) => self.holds(one).map(|holds| !holds),
            Condition::Nan(name) => self.value(name).map(|value| !value.is_finite()),
            Condition::Plateau(name, points) => self.channel(name).map(|channel| channel.since_best >= *points),
            Condition::Diverged(name) => self.channel(name).map(|channel| channel.alarms.divergence.is_on()),
            Condition::Compare(name, pick, op, number) => {
                let value = match (self.channel(name), pick) {
                    (None, _) | (_, Pick::Last) => self.value(name)?,
                    (Some(channel), Pick::Min) => channel.min,
                    (Some(channel), Pick::Max) => channel.max,
                    (Some(channel), Pick::First) => channel.first,
                };
                Some(match op {
                    Op::Less => value < *number,
                    Op::AtMost => value <= *number,
                    Op::More => value > *number,
                    Op::AtLeast => value >= *number,
                    Op::Is => value == *number,
                    Op::IsNot => value != *number && !value.is_nan(),
                })
            }
        }
    }
}
