//! The page of nn-web in a real Chromium, driven by tests/python/browser.py, one test a scenario there; each names its
//! checks. Only with NN_BROWSER=1, which `scripts/test --all` sets, and where chromium and chromedriver are; skipped, by
//! name, elsewhere. NN_SHOTS=DIR keeps pictures.
//! Not tested here: other browsers, a screen reader, a touch screen.

use crate::place::{Place, output_within, say, tests};
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

/// One browser at a time: each takes a core for itself, and some are timed.
static ALONE: Mutex<()> = Mutex::new(());

fn scenario(name: &str) {
    let skip = |why: &str| say(&format!("skipped: web-page-{name}: {why}"));
    if std::env::var_os("NN_BROWSER").is_none() {
        return skip("starts a browser: only with scripts/test --all");
    }
    if !["chromium", "chromedriver"].iter().all(|program| Path::new("/usr/bin").join(program).exists()) {
        return skip("needs Debian's chromium and chromium-driver");
    }
    let _alone = ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let place = Place::quick(&format!("page-{name}"));
    let mut python = place.command("python3");
    python.arg(tests().join("python/browser.py")).arg(name).arg(&place.dir).env("PYTHONDONTWRITEBYTECODE", "1");
    if let Some(shots) = std::env::var_os("NN_SHOTS") {
        python.env("NN_SHOTS", shots);
    }
    let output = output_within(&mut python, Duration::from_secs(300));
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.contains(&format!("done {name} in")), "{out}{err}");
    out.lines().filter(|line| line.starts_with("   ")).for_each(say);
}

#[test]
fn views_render_what_the_api_says() {
    scenario("views");
}

#[test]
fn a_training_is_seen_as_it_goes_on() {
    scenario("live");
}

#[test]
fn two_hundred_runs_are_filtered_and_compared_at_once() {
    scenario("speed");
}

#[test]
fn ten_thousand_runs_are_listed_and_scrolled() {
    scenario("many");
}

#[test]
fn hostile_texts_stay_text() {
    scenario("hostile");
}

#[test]
fn a_narrow_screen() {
    scenario("narrow");
}

#[test]
fn keys_and_names() {
    scenario("keys");
}

#[test]
fn dark_and_light() {
    scenario("dark");
}

#[test]
fn what_is_drawn_anew_stays_in_hand() {
    scenario("redrawn");
}

#[test]
fn an_export_opens_without_a_server() {
    scenario("export");
}

#[test]
fn the_token_changes_runs() {
    scenario("actions");
}

#[test]
fn others_need_the_token_to_read() {
    scenario("login");
}
