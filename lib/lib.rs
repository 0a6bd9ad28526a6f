//! nn-tools, the shared library: the map of the house. Modules stand on floors, and a floor knows only the floors
//! below it: draw and record stand on spool, spool stands on base. What one tool alone needs lives in `bins/`.

/// Floor 1: the ground: what any small Unix program needs.
pub mod base {
    pub mod args; // command-line arguments, getopt-long style
    pub mod cli; // the main wrapper: help, version, output, messages, exit status
    pub mod crc32; // the checksums of zip, PNG and files of events
    pub mod csv; // tables as text: rows of CSV and TSV
    pub mod error; // one error type, by what the user must do
    pub mod files; // every operation that changes a file system: atomic writes, the rename that may have happened
    pub mod glob; // paths by * and ?
    pub mod hash; // fingerprints that stay the same for ever
    pub mod inflate; // what deflate compressed
    pub mod json; // values, parsing, printing
    pub mod role; // what one process of the host at a time may be
    #[allow(unsafe_code)]
    pub mod sys; // the operating system: the only unsafe
    pub mod table; // records as an aligned table, TAB-separated lines, JSON lines, CSV or Markdown
    pub mod text; // text shown to people: escaping, width, suggestions
    pub mod time; // points in time and durations
    pub mod units; // sizes and numbers for people
}

/// Floor 2: the spool directory, see nn-spool(5).
pub mod spool {
    pub mod attempts; // a run's attempts, as far as they are on record
    pub mod batch; // the scheduler's job a script runs in, and its run
    pub mod config; // key = value settings
    pub mod hold; // files that one process at a time holds
    pub mod job; // what was asked: job.json
    pub mod needs; // what a run needs of its host, and what it was given: placed.json
    pub mod notify; // of which news a person wants to be told
    pub mod owner; // who holds a run, and proof of death
    pub mod profile; // a command as a profiler wants it
    pub mod recover; // mends what a crash left
    pub mod reported; // what is known of a run that its own host tells of
    pub mod rule; // warn, stop, mail or run, if
    pub mod select; // run numbers, names, last~2, ranges, @groups
    pub mod sign; // signs of life, for people
    pub mod snapshot; // code as it was when it was queued: code/TREE
    pub mod source; // where a run that was imported came from
    pub mod state; // tokens: the state of a run in the name of an empty file
    pub mod store; // the spool: every state change
    pub mod turn; // whose turn it is: after other runs, the pause before a retry
    pub mod waits; // what waiting runs wait for
}

/// Floor 3: what is known of a run.
pub mod record {
    pub mod ask; // another program, without waiting for it
    pub mod checkpoint; // what a resumed attempt goes on from
    pub mod course; // how far a run is, and how it goes: read on in its history and events
    pub mod events; // what happened to a run: events.jsonl
    pub mod exchange; // runs that other tools recorded, and runs for them
    pub mod facts; // what was found at the start: host, git, versions
    pub mod gpu; // GPUs and who uses them: nvidia-smi
    pub mod history; // variables of interest over time: history.jsonl
    pub mod hosts; // the hosts that run something: hosts/HOST.json
    pub mod lines; // bytes of a log -> clean logical lines
    pub mod meaning; // what the name of a variable tells
    pub mod metrics; // log lines -> counters and values
    pub mod oom; // whether the kernel killed for lack of memory
    pub mod pattern; // {placeholder} templates for log lines
    pub mod progress; // how far a run is, and how long the rest takes
    pub mod resources; // what runs use while they run, one sampler a host
    pub mod results; // a run as a row: parameters, facts, metric@last
    pub mod room; // how much room there is: disk, quotas, memory
    pub mod weights; // the tensors in files of weights
}

/// Floor 4: whether a run goes well.
pub mod judge {
    pub mod channel; // one variable of interest
    pub mod curve; // divergence, overfitting, norms
    pub mod event; // what was found, said once
    pub mod idle; // GPUs that do not work
    #[allow(clippy::module_inception)]
    pub mod judge; // the judge of one run
    pub mod names; // losses and scores, training and held-out data, by name
    pub mod pace; // silence, and steps that take longer
    pub mod reserve; // disk and memory that run out, with a forecast
    pub mod rest; // plateau, dead
    pub mod rules; // rules at work
    pub mod sketch; // a curve in constant memory, robust statistics
}

/// Floor 4: pictures.
pub mod draw {
    pub mod bars; // one number a name, as bars
    pub mod chart; // series, axes, ticks, legend: what to draw
    pub mod font; // a bitmap font
    pub mod png; // deflate, CRC, PNG
    pub mod raster; // a chart as pixels
    pub mod svg; // a chart as SVG
    pub mod term; // a chart in braille
}

/// Floor 4 as well: letters.
pub mod mail {
    pub mod held; // news on its way to a message
    pub mod message; // a message, RFC 5322 and MIME
    pub mod news; // what of all events is told by mail
    pub mod outgoing; // messages to be sent: the folder mail/
    pub mod settings; // how mail leaves: the settings mail.…
    pub mod smtp; // a client of SMTP, over any stream
    pub mod transport; // a way for messages: TCP, TLS by openssl, a program
}

/// Floor 5: other machines.
pub mod cluster {
    pub mod batch; // runs handed to an engine as one job array
    pub mod engine; // what is asked of an engine
    pub mod environment; // what an engine sets for a job
    pub mod gridengine; // qsub, qstat, qdel
    pub mod handover; // queued -> submitted: the steps, and what undoes them
    pub mod program; // an engine's own programs
    pub mod script; // what each task of a job array runs
    pub mod slurm; // sbatch, squeue, scancel
    pub mod ssh; // hosts that share no file system: connection, what goes there, what comes back
    pub mod sync; // what became of what was handed over
    pub mod xml; // what programs print as XML
}

/// Floor 5 as well: the web.
pub mod web {
    pub mod caller; // who asks
    mod conn; // one connection
    pub mod feed; // a stream of events to one client
    pub mod http; // the head of a request
    pub mod page; // the files of the page
    mod pool; // the threads that answer
    pub mod report; // how far a run is that goes on elsewhere
    pub mod response; // an answer
    pub mod server; // the loop that reads and writes
    pub mod token; // who may do what
    mod transfer; // long bodies
}
