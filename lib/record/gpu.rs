//! Which GPUs this host has, and who uses them.
//!
//! Behind one trait, `Source`, stands what can tell: nvidia-smi(1), whose CSV is parsed by hand (gpu/smi.rs), and with the
//! cargo feature `nvml` the driver's own library, if it is there (gpu/nvml.rs). To ask
//! takes from 20 ms to half a minute, and a stuck driver never answers. So nobody asks in the foreground: `Asking` is
//! one question on its way, and `Looker` is for who asks again and again: one question at a time, the last answer kept,
//! and after a failure a pause that doubles. A process that hangs is killed and, when even that does not end it, left
//! alone.
//!
//! What is not told is None, never 0. A GPU is named by its UUID: numbers differ between programs.

#[cfg(feature = "nvml")]
mod nvml;
mod smi;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// The longest that an answer is waited for: without persistence mode a big machine takes half a minute.
pub const LIMIT: Duration = Duration::from_secs(45);
/// The pause after a first failure.
const PAUSE: Duration = Duration::from_secs(60);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(16 * 60);

/// A GPU.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gpu {
    /// Its number in the order of the PCI bus, as nvidia-smi shows it
    pub index: Option<u32>,
    /// `GPU-…`: its name for CUDA_VISIBLE_DEVICES
    pub uuid: String,
    /// Its model
    pub name: String,
    /// Memory in all, bytes; None where the machine has no memory of the GPU's own
    pub memory_total: Option<u64>,
    /// Memory in use by whomever, bytes; an idle one may show some
    pub memory_used: Option<u64>,
    /// Memory free, bytes; with that in use it is less than all: some is reserved
    pub memory_free: Option<u64>,
    /// Per cent of the last moments in which it computed; None with MIG
    pub utilisation: Option<f64>,
    /// Degrees Celsius
    pub temperature: Option<f64>,
    /// Watts
    pub power: Option<f64>,
    /// Whether it is cut into MIG instances: then the whole of it cannot be given to a run
    pub mig: bool,
    /// The instances
    pub instances: Vec<Instance>,
    /// The driver's version
    pub driver: Option<String>,
    /// What is wrong with it, such as `GPU requires reset`: it should not be given to a run
    pub trouble: Option<String>,
}

/// A part of a GPU that CUDA can be given as if it were one.
#[derive(Clone, Debug, PartialEq)]
pub struct Instance {
    /// `MIG-…`
    pub uuid: String,
    /// Such as `3g.40gb`
    pub profile: String,
}

/// A process that computes on a GPU.
#[derive(Clone, Debug, PartialEq)]
pub struct Process {
    /// UUID of the GPU
    pub gpu: String,
    /// Its pid, in a container perhaps that of another namespace; None: somebody is there, and the driver does not say who
    pub pid: Option<u32>,
    /// GPU memory it holds, bytes
    pub memory: Option<u64>,
    /// Its program; None where it is not told
    pub name: Option<String>,
}

/// What was seen at one time.
#[derive(Clone, Debug)]
pub struct Look {
    /// The GPUs, in the source's order; those that cannot be asked are missing
    pub gpus: Vec<Gpu>,
    /// Who uses them
    pub processes: Vec<Process>,
    /// When it was asked
    pub when: Instant,
}

/// Why nothing is known: a sentence for people. It may hold bytes from outside: escape it.
pub type Told<T> = std::result::Result<T, String>;

/// Something that knows of GPUs. Its answers may take long: see `Asking`.
pub trait Source: Send + Sync {
    /// What it is, for messages and records: a path or a library's name.
    fn name(&self) -> String;
    /// The GPUs; none is an answer as well.
    ///
    /// # Errors
    /// It cannot tell.
    fn gpus(&self) -> Told<Vec<Gpu>>;
    /// The processes that compute on them.
    ///
    /// # Errors
    /// It cannot tell.
    fn processes(&self) -> Told<Vec<Process>>;
    /// The process that works on an answer at this moment, a child of this one.
    fn child(&self) -> Option<u32> {
        None
    }
    /// Ends the work on an answer, if that is possible.
    fn abandon(&self) {}
}

/// The source of this host: the program NN_NVIDIA_SMI; else, with the feature `nvml`, the library; else nvidia-smi in PATH.
/// None: there are no GPUs to speak of.
pub fn source() -> Option<Arc<dyn Source>> {
    let program = match std::env::var_os("NN_NVIDIA_SMI").filter(|p| !p.is_empty()) {
        Some(program) => PathBuf::from(program),
        None => {
            #[cfg(feature = "nvml")]
            if let Some(library) = nvml::Nvml::load() {
                return Some(Arc::new(library));
            }
            let path = std::env::var_os("PATH")?;
            std::env::split_paths(&path).map(|dir| dir.join("nvidia-smi")).find(|p| p.is_file())?
        }
    };
    Some(Arc::new(smi::Smi::new(program)))
}

/// The GPUs of this host, asked for now; waits for the answer, for `LIMIT` at most.
///
/// # Errors
/// They cannot be asked.
pub fn gpus() -> Told<Vec<Gpu>> {
    source().map_or_else(|| Ok(Vec::new()), |source| source.gpus())
}

/// Who computes on them, asked for now; waits for the answer, for `LIMIT` at most.
///
/// # Errors
/// They cannot be asked.
pub fn processes() -> Told<Vec<Process>> {
    source().map_or_else(|| Ok(Vec::new()), |source| source.processes())
}

/// A question on its way.
pub struct Asking {
    source: Arc<dyn Source>,
    answers: Receiver<(Told<Look>, Duration)>,
    answer: Option<Told<Look>>,
    took: Option<Duration>,
    since: Instant,
}

impl Asking {
    /// Asks for GPUs, and for the processes on them if wanted.
    pub fn begin(source: Arc<dyn Source>, with_processes: bool) -> Asking {
        let (sender, answers) = channel();
        let asked = source.clone();
        let body = move || {
            let begun = Instant::now();
            let _ = sender.send((look(&*asked, with_processes), begun.elapsed()));
        };
        // Out of threads: the channel is closed, which counts as a failure.
        let _ = std::thread::Builder::new().stack_size(1 << 18).spawn(body);
        Asking { source, answers, answer: None, took: None, since: Instant::now() }
    }

    /// Waits at most so long; whether there is an answer.
    pub fn wait(&mut self, limit: Duration) -> bool {
        use std::sync::mpsc::RecvTimeoutError::{Disconnected, Timeout};
        if self.answer.is_none() {
            self.answer = match self.answers.recv_timeout(limit) {
                Ok((answer, took)) => {
                    self.took = Some(took);
                    Some(answer)
                }
                Err(Timeout) => None,
                Err(Disconnected) => Some(Err("cannot ask: out of threads".into())),
            };
        }
        self.answer.is_some()
    }

    /// How long ago it was asked.
    pub fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// Who is asked.
    pub fn source(&self) -> Arc<dyn Source> {
        self.source.clone()
    }

    /// The process that works on it: this program's own, not the command's.
    pub fn child(&self) -> Option<u32> {
        self.source.child()
    }

    /// The answer. Without one by now its process is killed.
    ///
    /// # Errors
    /// The source cannot tell, or has not told in time.
    pub fn take(mut self) -> Told<Look> {
        if self.wait(Duration::ZERO) {
            return self.answer.unwrap_or_else(|| Err("no answer".into()));
        }
        self.source.abandon();
        Err(format!("{} has not answered within {} s", self.source.name(), self.age().as_secs_f64().ceil()))
    }
}

fn look(source: &dyn Source, with_processes: bool) -> Told<Look> {
    let when = Instant::now();
    let gpus = source.gpus()?;
    let processes = if with_processes && !gpus.is_empty() { source.processes()? } else { Vec::new() };
    Ok(Look { gpus, processes, when })
}

/// Why there is no look to be had now.
#[derive(Clone, Debug, PartialEq)]
pub enum Unseen {
    /// It was asked, and has not answered yet: come again.
    Asked,
    /// It cannot be seen; asked again after a pause.
    Failed(String),
}

/// For who looks again and again. Never more than one question at a time.
///
/// While `is_asking()` this process may have a child that is not its caller's: one who waits for any child
/// (`sys::reap`) takes its exit status away, which is endured, and gets to see a pid he does not know.
pub struct Looker {
    source: Option<Arc<dyn Source>>,
    asking: Option<Asking>,
    last: Option<Arc<Look>>,
    failure: Option<(String, Instant)>,
    failures: u32,
    took: Duration,
    abandoned: Vec<u32>,
}

impl Looker {
    /// For the source of this host.
    pub fn new() -> Looker {
        Looker::of(source())
    }

    /// For this source.
    pub fn of(source: Option<Arc<dyn Source>>) -> Looker {
        Looker {
            source,
            asking: None,
            last: None,
            failure: None,
            failures: 0,
            took: Duration::ZERO,
            abandoned: Vec::new(),
        }
    }

    /// Whether there is anything to ask; if not, a look is empty and costs nothing.
    pub fn has_source(&self) -> bool {
        self.source.is_some()
    }

    /// Whether a question is on its way.
    pub fn is_asking(&self) -> bool {
        self.asking.is_some()
    }

    /// The last good look, of whatever age.
    pub fn last(&self) -> Option<&Arc<Look>> {
        self.last.as_ref()
    }

    /// How long its answer took.
    pub fn took(&self) -> Duration {
        self.took
    }

    /// Ends a question that is on its way. Its process, and those of earlier ones, are returned if they did not end even
    /// when killed: nobody can wait for them.
    pub fn abandon(&mut self) -> Vec<u32> {
        if let Some(asking) = self.asking.take() {
            let source = asking.source();
            // Nobody wants to know any more.
            let _ = asking.take();
            self.abandoned.extend(source.child());
        }
        std::mem::take(&mut self.abandoned)
    }

    /// The process that works on an answer, a child of this one.
    pub fn child(&self) -> Option<u32> {
        self.asking.as_ref().and_then(Asking::child)
    }

    /// A look that is no older than `oldest`: the last one, or a new one if it comes within `patience` (zero: without
    /// any waiting; the question goes on, and the next call finds its answer).
    ///
    /// # Errors
    /// See `Unseen`. A failure is told until the pause after it is over.
    pub fn look(&mut self, oldest: Duration, patience: Duration) -> std::result::Result<Arc<Look>, Unseen> {
        let Some(source) = &self.source else {
            return Ok(Arc::new(Look { gpus: Vec::new(), processes: Vec::new(), when: Instant::now() }));
        };
        if self.asking.is_none() {
            if let Some(last) = self.last.as_ref().filter(|last| last.when.elapsed() <= oldest) {
                return Ok(last.clone());
            }
            if let Some((why, at)) = &self.failure
                && at.elapsed() < PAUSE.saturating_mul(1 << (self.failures.clamp(1, 8) - 1)).min(LONGEST_PAUSE)
            {
                return Err(Unseen::Failed(why.clone()));
            }
            self.asking = Some(Asking::begin(source.clone(), true));
        }
        self.collect(patience)
    }

    fn collect(&mut self, patience: Duration) -> std::result::Result<Arc<Look>, Unseen> {
        let Some(mut asking) = self.asking.take() else { return Err(Unseen::Asked) };
        // A source keeps to the limit by itself unless it hangs inside this process.
        if !asking.wait(patience) && asking.age() < LIMIT * 2 {
            self.asking = Some(asking);
            return Err(Unseen::Asked);
        }
        self.took = asking.took.unwrap_or_else(|| asking.age());
        let source = asking.source();
        match asking.take() {
            Ok(look) => {
                let look = Arc::new(look);
                self.last = Some(look.clone());
                (self.failure, self.failures) = (None, 0);
                Ok(look)
            }
            Err(why) => {
                self.last = None;
                self.abandoned.extend(source.child());
                self.failure = Some((why.clone(), Instant::now()));
                self.failures = self.failures.saturating_add(1);
                Err(Unseen::Failed(why))
            }
        }
    }
}

impl Default for Looker {
    fn default() -> Looker {
        Looker::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[derive(Default)]
    struct Fake {
        asked: AtomicU32,
        fails: bool,
        child: Option<u32>,
    }

    impl Source for Fake {
        fn name(&self) -> String {
            "fake".into()
        }
        fn gpus(&self) -> Told<Vec<Gpu>> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            if self.fails { Err("no".into()) } else { Ok(vec![Gpu::default()]) }
        }
        fn processes(&self) -> Told<Vec<Process>> {
            Ok(vec![Process { gpu: String::new(), pid: Some(7), memory: None, name: None }])
        }
        fn child(&self) -> Option<u32> {
            self.child
        }
    }

    const LONG: Duration = Duration::from_secs(600);

    #[test]
    fn an_answer_is_kept() {
        let fake = Arc::new(Fake::default());
        let mut looker = Looker::of(Some(fake.clone()));
        assert_eq!(looker.look(LONG, LONG).unwrap().processes[0].pid, Some(7));
        assert_eq!(looker.look(LONG, Duration::ZERO).unwrap().gpus.len(), 1);
        assert_eq!(fake.asked.load(Ordering::Relaxed), 1);
        assert!(looker.look(Duration::ZERO, LONG).is_ok() && !looker.is_asking());
        assert_eq!(fake.asked.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn a_failure_is_remembered() {
        let fake = Arc::new(Fake { fails: true, child: Some(77), ..Fake::default() });
        let mut looker = Looker::of(Some(fake.clone()));
        for _ in 0..3 {
            assert_eq!(looker.look(LONG, LONG).unwrap_err(), Unseen::Failed("no".into()));
        }
        assert_eq!(fake.asked.load(Ordering::Relaxed), 1);
        // Its process did not end: whoever clears up has to know that it is nobody's.
        assert_eq!(looker.abandon(), [77]);
        assert!(looker.abandon().is_empty());
    }

    #[test]
    fn no_source_is_no_gpu() {
        assert!(Looker::of(None).look(Duration::ZERO, Duration::ZERO).unwrap().gpus.is_empty());
    }
}
