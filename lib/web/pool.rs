//! The threads that answer: so many, no more. What is asked waits in one queue, which cannot grow beyond the connections
//! there may be, for each has one request at a time.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

type Work = Box<dyn FnOnce() + Send>;

/// Threads and what waits for them.
pub struct Pool {
    queue: Arc<(Mutex<VecDeque<Work>>, Condvar)>,
}

impl Pool {
    /// So many threads; fewer if the system refuses them, but one.
    ///
    /// # Errors
    /// Not even one.
    pub fn new(threads: usize) -> std::io::Result<Pool> {
        let queue: Arc<(Mutex<VecDeque<Work>>, Condvar)> = Arc::default();
        for n in 0..threads {
            let its_queue = queue.clone();
            let started = std::thread::Builder::new().name(format!("web-{n}")).spawn(move || work(&its_queue));
            if n == 0 {
                started?;
            }
        }
        Ok(Pool { queue })
    }

    /// Has it done by the next thread that is free.
    pub fn run(&self, work: impl FnOnce() + Send + 'static) {
        self.queue.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(Box::new(work));
        self.queue.1.notify_one();
    }
}

fn work(queue: &(Mutex<VecDeque<Work>>, Condvar)) {
    loop {
        let mut waiting = queue.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = loop {
            match waiting.pop_front() {
                Some(next) => break next,
                None => waiting = queue.1.wait(waiting).unwrap_or_else(PoisonError::into_inner),
            }
        };
        drop(waiting);
        next();
    }
}
