//! scripts/nn.py, in Python 2.7 and 3: a run that fails, goes on from its checkpoint, and is read back; the examples;
//! and what the manual gives as its like in sh and Lua.
//!
//! Python 2.7 is `$NN_PYTHON2` or `python2.7`: no package of current systems. Keras is a stand-in; PyTorch is only used
//! where it is installed.

use crate::place::{Place, bins, output_within, root, say, tests};
use std::process::{Command, Stdio};
use std::time::Duration;

fn runs(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// The Pythons there are, and what is said of one that is not.
fn pythons() -> Vec<String> {
    let second = std::env::var("NN_PYTHON2").unwrap_or_else(|_| "python2.7".into());
    let mut found = Vec::new();
    for (name, program) in [("Python 2.7", second), ("Python 3", "python3".to_string())] {
        if runs(&program, &["-c", "import json"]) {
            found.push(program);
        } else {
            say(&format!("skipped: nn.py in {name}: no {program}"));
        }
    }
    found
}

fn sh(place: &Place, python: &str, script: &str) -> String {
    let mut command = place.command("sh");
    command.args(["-c", script]).env("PYTHON", python).env("SCRIPTS", root().join("scripts"));
    let places = [root().join("scripts"), root().join("scripts/examples"), tests().join("python/standin")];
    command.env("PYTHONPATH", places.map(|place| place.display().to_string()).join(":"));
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{}:{path}", bins().display()));
    let output = output_within(&mut command, Duration::from_secs(120));
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{python}: {script}\n{out}{err}");
    out.into_owned()
}

#[test]
fn a_run_recorded_and_read_back() {
    for python in pythons() {
        let place = Place::new("python");
        sh(
            &place,
            &python,
            "nn-queue init >/dev/null
            nn-run -q -n py -p lr=0.5 -p name=x --retries 1 -- $PYTHON $TESTS/python/inside.py || exit 1
            nn-run -q -- sh -c 'echo epoch=1 cost=nan; echo epoch=2 cost=2; exit 3'
            nn-queue add -- true >/dev/null",
        );
        assert_eq!(sh(&place, &python, "$PYTHON $TESTS/python/outside.py"), "as nn-log and nn-queue say\n");
    }
}

#[test]
fn a_full_disk_stops_no_training() {
    for python in pythons() {
        let place = Place::new("python-full");
        let script = "import nn, os
import sys
assert nn.log(cost=1)
name = [n for n in os.listdir('.') if n.startswith('history.')][0]
os.rename(name, 'kept'); os.mkdir(name)
assert nn.log(cost=2) and nn.log(cost=3)
os.rmdir(name); os.rename('kept', name)
assert nn.log(cost=4)
assert [p['cost'] for p in nn.history()] == [1, 2, 3, 4], nn.history()
";
        std::fs::write(place.dir.join("full.py"), script).unwrap();
        let told = sh(&place, &python, "NN_RUN_DIR=$PWD $PYTHON full.py 2>&1");
        assert_eq!(told.lines().count(), 1, "{told}");
        assert!(told.starts_with("nn.py: cannot write ") && told.contains(": Is a directory"), "{told}");
    }
}

#[test]
fn examples_run() {
    let torch = runs("/usr/bin/python3", &["-c", "import torch"]);
    if !torch {
        say("skipped: scripts/examples/pytorch_loop.py: no PyTorch in /usr/bin/python3");
    }
    for python in pythons() {
        let place = Place::new("python-examples");
        let said = sh(
            &place,
            &python,
            "set -e; nn-queue init >/dev/null
            $PYTHON $SCRIPTS/examples/theano_loop.py
            nn-run -q -p lr=0.1 -p epochs=4 -- $PYTHON $SCRIPTS/examples/theano_loop.py
            nn-run -q --retries 1 -- $PYTHON -c '
import os, keras, keras_callback
model = keras.Model()
first = keras_callback.first_epoch(model)
model.fit(epochs=2 if first == 0 else 3, initial_epoch=first, callbacks=[keras_callback.Record()])
assert first == 0 or model.saved == \"weights\"
os._exit(1 if first == 0 else 0)'
            nn-table --tsv --columns state,valid_cost@last,val_loss@last; nn-log export 2 | grep -c val_loss",
        );
        let lines: Vec<&str> = said.lines().collect();
        assert!(lines.len() == 4 && lines[0].starts_with("w 3.0"), "{said}");
        assert!(
            lines[1].starts_with("done\t0.00") && lines[2].starts_with("done\t\t0.666") && lines[3] == "3",
            "{said}"
        );
        if torch {
            sh(
                &place,
                "/usr/bin/python3",
                "nn-run -q -p epochs=3 --weights '*.pt' -- $PYTHON $SCRIPTS/examples/pytorch_loop.py
                nn-log export last | grep -q 'norm/model.2.weight'",
            );
        }
    }
}

/// The code in the manual, between `.Bd` and `.Ed` under a heading.
fn in_manual(heading: &str) -> String {
    let page = std::fs::read_to_string(root().join("man/nn.py.3")).unwrap();
    let after = page.split(&format!(".Ss {heading}\n")).nth(1).unwrap();
    let code = after.split(".Bd -literal").nth(1).unwrap().split(".Ed").next().unwrap();
    code.lines()
        .skip(1)
        .map(|line| line.replace("\\e", "\\").replace("\\(dq", "\"").replace("\\(aq", "'").replace("\\&", "") + "\n")
        .collect()
}

#[test]
fn the_like_in_sh_and_lua() {
    let place = Place::new("other-languages");
    let by = |program: &str, code: String, call: &str| {
        std::fs::write(place.dir.join("code"), format!("{code}{call}\n")).unwrap();
        let script = format!("nn-queue init >/dev/null 2>&1; nn-run -q -- {program} code && nn-log export last");
        sh(&place, "python3", &script)
    };
    let said = by("sh", in_manual("From a shell"), "nn_log 3 valid_cost 0.12");
    assert!(said.contains("\"epoch\":3,\"valid_cost\":0.12}"), "{said}");
    match ["lua5.1", "luajit", "lua"].iter().find(|lua| runs(lua, &["-e", "x=1"])) {
        None => say("skipped: history from Lua: no lua"),
        Some(lua) => {
            let said = by(lua, in_manual("From Lua (Torch)"), "nn_log(4, {valid_cost = 0/0, lr = 0.1})");
            assert!(
                said.contains("\"epoch\":4") && said.contains("\"valid_cost\":\"NaN\"") && said.contains("\"lr\":0.1"),
                "{said}"
            );
        }
    }
}
