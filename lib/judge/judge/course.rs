//! The judge of one variable's course, whenever a bin of its sketch is full: which detectors apply to it, by its kind and by
//! what is known of the rest of the run.

use super::{FAR, Judge};
use crate::judge::channel::Channel;
use crate::judge::curve::{self, Found};
use crate::judge::event::Level;
use crate::judge::names::{Kind, Part};
use crate::judge::rest;
use crate::record::progress;

/// A loss that has not moved for so many epochs, or points where there are no epochs, never will.
const DEAD_EPOCHS: f64 = 10.0;
const DEAD_POINTS: u64 = 80;
/// The same of one that is the same to the last digit.
const DEAD_POINTS_AT_REST: u64 = 48;
/// Or so many epochs, of so many points.
const DEAD_EPOCHS_OF_MANY: f64 = 3.0;
/// Of a run whose end is known less than this part says nothing of what never moved, and of what stopped.
const DEAD_SHARE: f64 = 0.05;
const PLATEAU_SHARE: f64 = 0.2;

impl Judge {
    pub(super) fn look_at_course(&mut self, i: usize) {
        let channel = &self.channels[i];
        let shape = channel.shape();
        let beside: Vec<f64> = channel.sketch.bins().iter().map(|bin| bin.beside).collect();
        let paired = beside.iter().any(|x| x.is_finite());
        let overfit = curve::overfit(&shape, &beside).filter(|_| paired);
        let divergence =
            curve::divergence(&shape, paired, channel.is_main || channel.kind == Kind::Score, channel.points)
                .filter(|_| overfit.is_none())
                .or_else(|| self.far_away(i));
        // A loss that may be negative has no end that is known.
        let bound = match channel.kind {
            Kind::Score => Some(if channel.max <= 1.0 { -1.0 } else { -100.0 }).filter(|_| channel.min >= 0.0),
            _ => Some(0.0).filter(|_| channel.min >= 0.0),
        };
        let plateau = bound
            .filter(|_| !paired)
            .and_then(|bound| rest::plateau(&shape, bound, channel.points))
            .filter(|_| self.is_past(PLATEAU_SHARE));
        let dead =
            rest::dead(&shape, self.is_long(channel)).filter(|_| self.is_past(DEAD_SHARE) && self.is_all_dead(i));
        let (is_up, has_improved) = (shape.is_up(), shape.has_improved());
        let alarms = &mut self.channels[i].alarms;
        // It is not over while it stands there, though nothing rises any more.
        let diverges = divergence.is_some() || alarms.divergence.is_on() && is_up;
        let told = [
            (alarms.overfit.see(overfit.is_some()), Level::Warning, "overfit", overfit),
            (alarms.divergence.see(diverges), Level::Error, "divergence", divergence),
            (alarms.plateau.see(plateau.is_some()), Level::Info, "plateau", plateau),
            (alarms.dead.see(dead.is_some() || alarms.dead.is_on() && !has_improved), Level::Warning, "dead", dead),
        ];
        for (is_new, level, detector, found) in told {
            if let Some(found) = found.filter(|_| is_new) {
                self.say_found(level, detector, i, found);
            }
        }
    }

    pub(super) fn look_at_game(&mut self, i: usize) {
        let channel = &self.channels[i];
        let shape = channel.shape();
        let found = match channel.kind {
            Kind::Return => curve::collapse(&shape, channel.points),
            _ => curve::runaway(&shape, channel.points),
        };
        let alarm = &mut self.channels[i].alarms.divergence;
        let goes_on = found.is_some() || alarm.is_on() && shape.is_up();
        if alarm.see(goes_on)
            && let Some(found) = found
        {
            self.say_found(Level::Warning, "divergence", i, found);
        }
    }

    /// Of a run that plays, and has no loss that says how good it gets.
    pub(super) fn look_for_learning(&mut self, i: usize) {
        let channel = &self.channels[i];
        let dead = rest::never_learned(&channel.shape(), channel.points).filter(|_| self.is_past(DEAD_SHARE));
        let dead = dead.filter(|_| !self.learns(20));
        if self.channels[i].alarms.dead.see(dead.is_some())
            && let Some(found) = dead
        {
            self.say_found(Level::Info, "dead", i, found);
        }
    }

    fn far_away(&self, i: usize) -> Option<Found> {
        let channel = &self.channels[i];
        let figures = vec![("now", channel.far.1), ("highest_before", channel.known.1)];
        (channel.far.0 >= FAR && channel.kind == Kind::Loss).then(|| Found { why: "explodes".into(), figures })
    }

    /// Whether so great a part of the run is over, as far as its end is known.
    fn is_past(&self, share: f64) -> bool {
        progress::toward(&self.goals, &self.whole_place()).is_none_or(|(goal, at)| at >= share * goal.end)
    }

    fn is_long(&self, channel: &Channel) -> bool {
        match self.epoch.zip(self.first_epoch) {
            Some((epoch, first)) => {
                let epochs = epoch - first + 1.0;
                let few = if channel.part == Part::HeldOut { 20 } else { 12 };
                epochs >= DEAD_EPOCHS && channel.points >= few
                    || epochs >= DEAD_EPOCHS_OF_MANY && channel.points >= DEAD_POINTS
            }
            None => channel.points >= if channel.min == channel.max { DEAD_POINTS_AT_REST } else { DEAD_POINTS },
        }
    }

    /// Whether this is what is trained for, and nothing else of the run gets better either.
    fn is_all_dead(&self, i: usize) -> bool {
        self.channels[i].is_main && self.channels[i].kind == Kind::Loss && !self.learns(8)
    }

    /// Whether a variable of so many numbers has got better.
    fn learns(&self, least: u64) -> bool {
        let judged = |c: &Channel| matches!(c.kind, Kind::Loss | Kind::Score | Kind::Return | Kind::Contest);
        self.channels.iter().any(|c| judged(c) && c.numbers >= least && c.shape().has_improved())
    }

    pub(super) fn look_at_norm(&mut self, i: usize) {
        let found = curve::norm(&self.channels[i].sketch.values());
        // Where training is as good as done, gradients are small.
        let found = found.filter(|(explodes, _)| *explodes || !self.is_solved());
        if self.channels[i].alarms.norm.see(found.is_some())
            && let Some((_, found)) = found
        {
            self.say_found(Level::Warning, "norm", i, found);
        }
    }

    fn is_solved(&self) -> bool {
        self.channels.iter().any(|c| {
            let shape = c.shape();
            c.kind == Kind::Loss && shape.start > 0.0 && shape.best < 0.01 * shape.start
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::history::Point;
    use crate::record::progress::Goal;

    /// What is said of a loss, and at which epoch, of a run of so many epochs.
    fn said(epochs: Option<f64>, loss: impl Fn(f64) -> f64) -> Vec<(&'static str, f64)> {
        let mut judge = Judge::new();
        judge.ends(epochs.map(|end| Goal { counter: "epoch", end }).into_iter().collect(), None);
        let mut said = Vec::new();
        for epoch in 1..=400 {
            let mut point = Point::new();
            point.set_counter("epoch", f64::from(epoch));
            point.push_value("loss", loss(f64::from(epoch)));
            judge.point(&point);
            said.extend(judge.take().iter().map(|event| (event.detector, f64::from(epoch))));
        }
        said
    }

    #[test]
    fn patience_grows_with_the_run() {
        let (dead, stuck) = (|_: f64| 2.3, |epoch: f64| 2.3 - 0.05 * epoch.min(20.0));
        assert_eq!(said(None, dead), [("dead", 12.0)]);
        assert_eq!(said(Some(400.0), dead), [("dead", 20.0)]);
        assert_eq!(said(None, stuck), [("plateau", 40.0)]);
        assert_eq!(said(Some(400.0), stuck), [("plateau", 80.0)]);
    }
}
