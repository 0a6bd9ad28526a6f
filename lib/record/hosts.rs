//! The hosts that run something, by what their samplers write: hosts/HOST.json.

use crate::base::files;
use crate::base::json::Value;
use crate::base::time::Time;
use std::path::Path;
use std::time::Duration;

/// A sample that is older says nothing of now.
const STALE: Duration = Duration::from_secs(180);

/// The samples that tell of now, in the order of the hosts' names, given the folder of a spool.
pub fn samples(spool: &Path) -> Vec<Value> {
    let dir = spool.join("hosts");
    let mut names = files::names(&dir).unwrap_or_default();
    names.sort();
    let is_sample = |name: &str| {
        name.strip_suffix(".json").is_some_and(|host| !host.ends_with(".facts") && !host.ends_with(".waits"))
    };
    let names = names.iter().filter_map(|name| name.to_str()).filter(|name| is_sample(name));
    let read = |name: &str| Value::parse(&files::read_text(dir.join(name)).ok()?).ok();
    let is_fresh = |sample: &Value| {
        let t = sample.str("t").and_then(Time::parse);
        t.is_some_and(|t| Time::now().since(t) < STALE)
    };
    names.filter_map(read).filter(is_fresh).collect()
}
