//! The judge of one run: fed with points, samples and the passing of time, it finds events. Constant memory, one pass;
//! nothing is read, written or printed here.
//!
//!     judge.point(&point);  judge.tick(now);  judge.levels(now, &levels);  for event in judge.take() { … }
//!
//! A point costs a look-up and a few additions for each of its values; curves are judged when a bin of their sketch is
//! full, which becomes rare as they grow.

mod course;
mod room;

use super::channel::Channel;
use super::curve::Found;
use super::event::{Event, Level, number, place_of};
use super::idle::Idle;
use super::names::{Kind, Part};
use super::pace::{self, Pace};
use super::reserve::{Reserve, What};
use super::rules::{self, Fired, Rules, Sight};
use crate::base::json;
use crate::base::time::{Time, show_duration};
use crate::base::units::show_number;
use crate::record::history::Point;
use crate::record::progress::Goal;
use crate::spool::rule::{Action, Rule};
use std::time::Duration;

/// Seconds in words.
fn seconds(seconds: f64) -> String {
    Duration::try_from_secs_f64(seconds.round()).map_or_else(|_| "long".to_string(), show_duration)
}

/// Variables that are watched, at most.
const MOST_CHANNELS: usize = 300;
/// Points far above all, one after the other, that are a divergence.
const FAR: u32 = 4;

/// The judge of a run.
#[derive(Clone, Debug, Default)]
pub struct Judge {
    channels: Vec<Channel>,
    pace: Pace,
    at: Vec<(String, f64)>,
    t: Option<Time>,
    first_epoch: Option<f64>,
    epoch: Option<f64>,
    events: Vec<Event>,
    rules: Rules,
    resources: Vec<(&'static str, f64)>,
    points: u64,
    /// The attempt's first point
    begin: Option<(Time, Vec<(String, f64)>)>,
    batches: Option<f64>,
    /// What tells the end of the run
    goals: Vec<Goal>,
    deadline: Option<Time>,
    /// The first look at reserves
    looked: Option<Time>,
    reserves: Vec<((What, String), Reserve)>,
    gpus: Vec<(((), String), Idle)>,
}

impl Judge {
    /// One that knows nothing yet.
    pub fn new() -> Judge {
        Judge::default()
    }

    /// One that also keeps to rules.
    pub fn with_rules(rules: Vec<Rule>) -> Judge {
        Judge { rules: Rules::new(rules), ..Judge::default() }
    }

    /// Whether a rule names any of these.
    pub fn asks_for(&self, names: &[&str]) -> bool {
        self.rules.name_any(names)
    }

    /// Sentences about names in these rules that never came.
    pub fn unknown_names(&self, rules: &[Rule]) -> Vec<String> {
        rules::unknown(rules, &self.channels)
    }

    /// Takes what has been found since the last time.
    pub fn take(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// An attempt has ended, and another goes on: what was silent in between was no stall.
    pub fn pause(&mut self) {
        self.pace.pause();
        self.rules.pause();
        self.begin = None;
    }

    /// Nobody looked for a while: what comes next may have been there before, and says nothing of the pace.
    pub fn unseen(&mut self) {
        self.pace.pause();
    }

    /// What tells the end of the run: parameters, and its time limit.
    pub fn ends(&mut self, goals: Vec<Goal>, deadline: Option<Time>) {
        (self.goals, self.deadline) = (goals, deadline);
    }

    /// Of a variable what is known.
    pub fn channel(&self, name: &str) -> Option<&Channel> {
        self.channels.iter().find(|c| c.name == name)
    }

    /// All variables, in the order in which they came.
    pub fn channels(&self) -> &[Channel] {
        &self.channels
    }

    /// The counters in force.
    pub fn place(&self) -> &[(String, f64)] {
        &self.at
    }

    /// Judges a point.
    pub fn point(&mut self, point: &Point) {
        self.t = point.t.or(self.t);
        let is_same =
            self.at.iter().map(|(n, v)| (n.as_str(), *v)).eq(point.counters().filter(|(n, _)| *n != "batches"));
        if !is_same {
            self.at = place_of(point);
        }
        self.points += 1;
        self.batches = point.counter("batches").or(self.batches);
        if let Some(t) = point.t.filter(|_| self.begin.is_none()) {
            self.begin = Some((t, self.whole_place()));
        }
        if let Some(epoch) = point.counter("epoch") {
            self.first_epoch.get_or_insert(epoch);
            self.epoch = Some(epoch);
        }
        if self.pace.add(point) {
            let slower = self.pace.slower();
            if self.pace.slow.see(slower.is_some())
                && let Some((now, before)) = slower
            {
                let why = format!("a step takes {} s, it took {} s", show_number(now), show_number(before));
                self.say(Level::Warning, "slow", None, why, &[("now", now), ("before", before)]);
            }
        }
        for (guess, (name, value)) in point.values().enumerate() {
            if let Some(i) = self.find(guess, name) {
                self.value(i, value);
            }
        }
        self.keep_rules(|name| point.value(name).is_some());
    }

    /// Of some of the resources that rules may ask for (spool::rule::RESOURCES) so much is left.
    pub fn resources(&mut self, now: Time, left: &[(&'static str, f64)]) {
        self.t = Some(now);
        self.resources.retain(|(known, _)| left.iter().all(|(name, _)| name != known));
        self.resources.extend_from_slice(left);
        self.keep_rules(|name| left.iter().any(|(known, _)| *known == name));
    }

    fn keep_rules(&mut self, is_new: impl Fn(&str) -> bool) {
        if self.rules.is_empty() {
            return;
        }
        let sight = Sight { channels: &self.channels, resources: &self.resources, epoch: self.epoch, t: self.t };
        for Fired { rule, values } in self.rules.look(&sight, is_new) {
            let level = if rule.action == Action::Stop { Level::Error } else { Level::Warning };
            let shown: Vec<String> = values.iter().map(|(name, x)| format!("{name} {}", show_number(*x))).collect();
            let mut evidence = json::map([("rule", rule.text.as_str().into())]);
            for (name, x) in &values {
                evidence.set(name, number(*x));
            }
            self.say(
                level,
                "rule",
                values.first().map(|(name, _)| name.as_str()),
                format!("{} ({})", rule.text, shown.join(", ")),
                &[],
            );
            if let Some(event) = self.events.last_mut() {
                event.evidence = evidence;
                event.notify = rule.action == Action::Mail;
                event.action = Some(rule.action);
            }
        }
    }

    /// Time passes without a point.
    pub fn tick(&mut self, now: Time) {
        let silence = self.pace.silence(now);
        if self.pace.stall.see(silence.is_some())
            && let Some((silent, allowed)) = silence
        {
            self.t = Some(now);
            let words = seconds(silent);
            let why = format!("nothing new for {words}, longer than ever before");
            self.say(Level::Warning, "stall", None, why, &[("silent", silent), ("allowed", allowed)]);
        }
    }

    fn find(&mut self, guess: usize, name: &str) -> Option<usize> {
        if self.channels.get(guess).is_some_and(|c| c.name == name) {
            return Some(guess);
        }
        let known = self.channels.iter().position(|c| c.name == name);
        if known.is_none() && self.channels.len() < MOST_CHANNELS {
            self.channels.push(Channel::new(name));
            return Some(self.channels.len() - 1);
        }
        known
    }

    fn say(
        &mut self,
        level: Level,
        detector: &'static str,
        metric: Option<&str>,
        why: String,
        figures: &[(&str, f64)],
    ) {
        self.events.push(Event {
            t: self.t,
            level,
            detector,
            metric: metric.map(str::to_string),
            at: self.at.clone(),
            why,
            evidence: json::map(figures.iter().map(|(name, x)| (*name, number(*x)))),
            notify: false,
            action: None,
        });
    }

    fn say_found(&mut self, level: Level, detector: &'static str, i: usize, found: Found) {
        let (name, sign) = (self.channels[i].name.clone(), if self.channels[i].rises() { -1.0 } else { 1.0 });
        let of_curve = |figure: &str| !figure.starts_with("train") && figure != "tau";
        let figures: Vec<(&str, f64)> =
            found.figures.iter().map(|(f, x)| (*f, if of_curve(f) { sign * x } else { *x })).collect();
        let shown: Vec<String> =
            figures.iter().map(|(f, x)| format!("{} {}", f.replace('_', " "), show_number(*x))).collect();
        let why = format!("{name} {} ({})", found.why, shown.join(", "));
        self.say(level, detector, Some(&name), why, &figures);
    }

    fn value(&mut self, i: usize, value: f64) {
        let beside = self.beside(i);
        let full = self.channels[i].push(value, beside);
        self.look_for_nan(i);
        if self.channels[i].far.0 >= FAR || self.channels[i].alarms.divergence.is_on() && !full {
            self.look_for_far(i);
        }
        if full {
            self.look_at_curve(i);
        }
    }

    /// Of a held-out variable: where training stands now.
    fn beside(&self, i: usize) -> f64 {
        let channel = &self.channels[i];
        if channel.part == Part::Train || !matches!(channel.kind, Kind::Loss | Kind::Score) {
            return f64::NAN;
        }
        let pair =
            self.channels.iter().find(|c| c.part == Part::Train && c.kind == channel.kind && c.base == channel.base);
        let pair = pair.or_else(|| {
            self.channels
                .iter()
                .find(|c| c.part == Part::Train && c.kind == channel.kind && c.is_main && channel.is_main)
        });
        pair.and_then(|c| c.sketch.bins().last().filter(|_| c.last.is_finite()).map(|bin| (bin.value, c))).map_or(
            f64::NAN,
            |(bin, c)| if c.sketch.per() == 1 { if c.rises() { -c.last } else { c.last } } else { bin },
        )
    }

    fn look_for_nan(&mut self, i: usize) {
        let channel = &mut self.channels[i];
        let (run, had) = (channel.bad_run, channel.numbers);
        // A score without cases, a perplexity too great for a number, a norm of half precision that is tried again with
        // another scale: of those one is nothing.
        let found = match channel.kind {
            Kind::Loss | Kind::Contest => run >= 1 && (channel.last.is_nan() || had > 0 || run >= 3),
            Kind::Other | Kind::Pace => false,
            Kind::Score | Kind::Return => run >= 2 && had >= 3,
            Kind::Norm => run >= if channel.last.is_nan() { 2 } else { 4 } && had > 0,
        };
        if run == 0 && !channel.alarms.nan.is_on() {
            return;
        }
        if channel.alarms.nan.see(found) {
            let name = channel.name.clone();
            let bad = channel.last;
            let level = if matches!(channel.kind, Kind::Loss | Kind::Contest) { Level::Error } else { Level::Warning };
            let what = if bad.is_nan() { "NaN" } else { "infinite" };
            self.say(
                level,
                "nan",
                Some(&name),
                format!("{name} is {what}"),
                &[("value", bad), ("numbers_before", had as f64)],
            );
        }
    }

    fn look_for_far(&mut self, i: usize) {
        let channel = &mut self.channels[i];
        let far = channel.far.0 >= FAR && matches!(channel.kind, Kind::Loss);
        if !far || !channel.alarms.divergence.see(true) {
            return;
        }
        let figures = vec![("now", channel.far.1), ("highest_before", channel.known.1)];
        self.say_found(Level::Error, "divergence", i, Found { why: "explodes".into(), figures });
    }

    fn look_at_curve(&mut self, i: usize) {
        match self.channels[i].kind {
            Kind::Loss | Kind::Score => self.look_at_course(i),
            Kind::Norm => self.look_at_norm(i),
            Kind::Pace => {
                let slower = pace::doubled(&self.channels[i].sketch.values());
                if self.channels[i].alarms.slow.see(slower.is_some())
                    && let Some((now, before)) = slower
                {
                    let found = Found { why: "has doubled".into(), figures: vec![("now", now), ("before", before)] };
                    self.say_found(Level::Warning, "slow", i, found);
                }
            }
            Kind::Return => {
                self.look_at_game(i);
                self.look_for_learning(i);
            }
            Kind::Contest => self.look_at_game(i),
            Kind::Other => {}
        }
    }
}
