//! What is asked for, by path, and who answers. A path is compared, and the number of a run in it is read as a number:
//! nothing of a request ever names a file.

use crate::act::Action;
use crate::guard::{self, Guard};
use crate::model::Model;
use crate::{act, curves, hosts, live, log, report, resources, run};
use nn::base::json::{self, Value};
use nn::base::sys;
use nn::spool::store::Spool;
use nn::web::caller::Caller;
use nn::web::http::{Head, Method};
use nn::web::page::{self, File};
use nn::web::report::MOST;
use nn::web::response::Response;
use nn::web::server::{Admitted, Answer, App};
use std::io::Read;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a request fails with.
pub type Answered = std::result::Result<Response, Response>;

/// All that the server knows.
pub struct Web {
    pub spool: Spool,
    pub guard: Guard,
    pub streams: live::Streams,
    pub hosts: hosts::Hosts,
    model: Mutex<Model>,
}

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Route {
    File(&'static File),
    About,
    Runs,
    Run(u64),
    History(u64),
    Resources(u64),
    Log(u64),
    Curves,
    Diff,
    Columns,
    Hosts,
    Queue,
    Live,
    Login,
    Act(u64, Action),
    Report,
}

fn route(path: &str) -> Option<Route> {
    let Some(rest) = path.strip_prefix("/api/") else { return page::find(path).map(Route::File) };
    let parts: Vec<&str> = rest.split('/').collect();
    Some(match parts.as_slice() {
        ["about"] => Route::About,
        ["runs"] => Route::Runs,
        ["curves"] => Route::Curves,
        ["diff"] => Route::Diff,
        ["columns"] => Route::Columns,
        ["hosts"] => Route::Hosts,
        ["queue"] => Route::Queue,
        ["live"] => Route::Live,
        ["login"] => Route::Login,
        ["report"] => Route::Report,
        ["runs", run] => Route::Run(number(run)?),
        ["runs", run, "history"] => Route::History(number(run)?),
        ["runs", run, "resources"] => Route::Resources(number(run)?),
        ["runs", run, "log"] => Route::Log(number(run)?),
        ["runs", run, verb] => Route::Act(number(run)?, Action::parse(verb)?),
        _ => return None,
    })
}

/// The number of a run.
pub fn number(text: &str) -> Option<u64> {
    let is_one = !text.is_empty() && !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_one)
}

impl Route {
    /// Whether it changes something.
    fn posts(self) -> bool {
        matches!(self, Route::Login | Route::Act(..) | Route::Report)
    }

    /// Whether it tells of runs.
    fn tells(self) -> bool {
        !self.posts() && !matches!(self, Route::File(_))
    }
}

impl Web {
    /// Nothing read yet.
    pub fn new(spool: Spool, guard: Guard) -> Web {
        let model = Mutex::new(Model::new(spool.clone()));
        Web { spool, guard, streams: live::Streams::default(), hosts: hosts::Hosts::default(), model }
    }

    /// The model, for one thread at a time.
    pub fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The model, up to date.
    ///
    /// # Errors
    /// The answer when the spool cannot be read.
    pub fn fresh_model(&self) -> std::result::Result<MutexGuard<'_, Model>, Response> {
        let mut model = self.model();
        model.look().map_err(|err| Response::error(500, &err.to_string()))?;
        Ok(model)
    }

    fn tell(&self, route: Route, head: &Head, body: &[u8]) -> Answered {
        Ok(match route {
            Route::File(file) => Response::file(file.kind, file.bytes, head),
            Route::About => Response::json(about(&self.spool, self.guard.has_token()).to_string()),
            Route::Runs => {
                let since = head.asked("since").map(|text| asked_number(text, "since")).transpose()?;
                let mut model = self.fresh_model()?;
                match since {
                    Some(_) => Response::json(model.changes(since)),
                    None => Response::shared_json(model.all()),
                }
            }
            Route::Run(run) => run::whole(&*self.fresh_model()?, run)?,
            Route::History(run) => curves::history(self.existing(run)?, run, points(head, 1000)?)?,
            Route::Resources(run) => resources::of_run(self.existing(run)?, run, points(head, 500)?)?,
            Route::Log(run) => log::part(self.existing(run)?, run, head)?,
            Route::Curves => curves::many(self, head, points(head, 1000)?)?,
            Route::Diff => act::diff(&self.spool, head)?,
            Route::Columns => act::columns(&self.spool, head)?,
            Route::Hosts => Response::json(self.hosts.tell(&self.spool).to_string()),
            Route::Queue => Response::json(json::map([("queue", self.fresh_model()?.queue())]).to_string()),
            Route::Login => self.guard.log_in(&as_json(body)?),
            Route::Act(run, action) => act::act(self, run, action, &as_json(body)?)?,
            Route::Live | Route::Report => return Err(Response::error(500, "this is answered elsewhere")),
        })
    }

    /// The spool, if it has this run.
    fn existing(&self, run: u64) -> std::result::Result<&Spool, Response> {
        run::dir(&self.spool, run).map(|_| &self.spool)
    }
}

/// What this server is.
pub fn about(spool: &Spool, writes: bool) -> Value {
    json::map([
        ("version", Value::from(env!("CARGO_PKG_VERSION"))),
        ("spool", spool.dir().to_string_lossy().into_owned().into()),
        ("host", sys::host_name().into()),
        ("write", writes.into()),
    ])
}

/// The answer to what is asked for and is not there.
fn nothing() -> Response {
    Response::error(404, "there is nothing of this name")
}

/// A number in the query.
///
/// # Errors
/// The answer when it is none.
pub fn asked_number<T: std::str::FromStr>(text: &str, name: &str) -> std::result::Result<T, Response> {
    text.parse().map_err(|_| Response::error(400, &format!("{name} is no number: '{text}'")))
}

/// How many points are asked for.
fn points(head: &Head, usual: usize) -> std::result::Result<usize, Response> {
    let asked = head.asked("points").map(|text| asked_number(text, "points")).transpose()?;
    Ok(asked.unwrap_or(usual).clamp(10, 10_000))
}

fn as_json(body: &[u8]) -> std::result::Result<Value, Response> {
    let text = str::from_utf8(body).map_err(|_| Response::error(400, "the body is not UTF-8"))?;
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    Value::parse(text).map_err(|bad| Response::error(400, &format!("the body: line {}, {bad}", bad.line)))
}

impl App for Web {
    fn admit(&self, head: &Head) -> std::result::Result<Admitted, Response> {
        self.guard.check(head)?;
        let route = route(&head.path).ok_or_else(nothing)?;
        let may = if route.posts() { "POST" } else { "GET, HEAD" };
        match head.method {
            Method::Post if route.posts() => {}
            Method::Get | Method::Head if !route.posts() => {}
            _ => return Err(Response::error(405, &format!("here is only {may}")).with("Allow", may)),
        }
        match route {
            Route::Login => guard::is_json(head)?,
            Route::Act(..) => self.guard.may_act(head)?,
            Route::Report => {
                self.guard.may_report(head)?;
                return Ok(Admitted::Stream(MOST));
            }
            _ if route.tells() => self.guard.may_read(head)?,
            _ => {}
        }
        Ok(Admitted::Whole)
    }

    fn answer(&self, head: &Head, body: &[u8], caller: &Caller) -> Answer {
        let Some(route) = route(&head.path) else { return Answer::Whole(nothing()) };
        let may = if route.tells() { self.guard.may_look(head, caller) } else { Ok(()) };
        let answered = match (may, route) {
            (Err(refused), _) => Err(refused),
            (Ok(()), Route::Live) => match live::begin(self, head, &caller.waker) {
                Ok(feed) => return Answer::Live(feed),
                Err(response) => Err(response),
            },
            (Ok(()), route) => self.tell(route, head, body),
        };
        Answer::Whole(answered.unwrap_or_else(|refused| refused))
    }

    fn receive(&self, head: &Head, body: &mut dyn Read) -> Response {
        report::receive(self, head, body).unwrap_or_else(|refused| refused)
    }
}
