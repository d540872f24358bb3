//! The executor: local tasks of one instance, and the one place where the shell blocks.
//!
//! Everything concurrent inside the shell (a pipeline stage that is no program, a background list, a process
//! substitution) is a task here. When no task can go on, the executor waits once for everything that any of
//! them waits for. Single-threaded; a task is polled by nobody twice at once.

mod race;
mod task;
mod waiting;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use crate::sys;

pub use race::{Either, race};
pub use task::{Ending, Task};
pub use waiting::Interest;

use waiting::Waiting;

/// The number of a task in the executor.
pub type TaskNumber = u64;

/// A boxed future of this thread.
pub type LocalFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// The task that is the shell itself.
const FIRST_TASK: TaskNumber = 1;
/// Subshells of one shell that exist at the same time; without a bound a fork bomb takes all pipes and memory.
const TASKS_MAX: usize = 1_000;
/// In-shell tasks are numbered from here where a process id is asked for, far above those of the kernel.
const PSEUDO_PID_FIRST: u32 = 0x1000_0000;

/// Tasks that can go on.
#[derive(Default)]
struct Ready(Mutex<VecDeque<TaskNumber>>);

impl Ready {
    fn push(&self, number: TaskNumber) {
        if let Ok(mut queue) = self.0.lock() {
            queue.push_back(number);
        }
    }

    fn pop(&self) -> Option<TaskNumber> {
        self.0.lock().ok()?.pop_front()
    }

    fn is_empty(&self) -> bool {
        self.0.lock().is_ok_and(|queue| queue.is_empty())
    }
}

struct TaskWaker {
    number: TaskNumber,
    ready: Arc<Ready>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.ready.push(self.number);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ready.push(self.number);
    }
}

struct Entry {
    /// Taken out while the task is polled.
    future: Option<LocalFuture<'static, Ending>>,
    task: Rc<Task>,
    waker: Waker,
}

/// The executor.
pub struct Runtime {
    entries: RefCell<BTreeMap<TaskNumber, Entry>>,
    ready: Arc<Ready>,
    next: Cell<TaskNumber>,
    waiting: RefCell<Waiting>,
    signal_wakers: RefCell<Vec<Waker>>,
    /// Where the stack was when the executor began: how deep commands nest is measured from here.
    stack_start: Cell<usize>,
}

impl Default for Runtime {
    fn default() -> Self {
        Self::new()
    }
}

impl Runtime {
    /// Returns an executor without tasks.
    pub fn new() -> Self {
        Self {
            entries: RefCell::default(),
            ready: Arc::default(),
            next: Cell::new(FIRST_TASK),
            waiting: RefCell::default(),
            signal_wakers: RefCell::default(),
            stack_start: Cell::new(0),
        }
    }

    /// Returns whether `more` tasks would be too many, as processes are for a machine that cannot fork.
    ///
    /// Then all tasks but the first are killed: what multiplies until nothing more fits would go on doing so.
    pub fn cannot_fork(&self, more: usize) -> bool {
        if self.task_count() + more <= TASKS_MAX {
            return false;
        }
        let swarm: Vec<Rc<Task>> = self
            .entries
            .borrow()
            .values()
            .filter(|entry| entry.task.number() != FIRST_TASK)
            .map(|entry| Rc::clone(&entry.task))
            .collect();
        for task in swarm {
            self.cancel(&task, sys::SIGKILL);
        }
        true
    }

    /// Returns how many tasks have not ended.
    pub fn task_count(&self) -> usize {
        self.entries.borrow().len()
    }

    /// Returns the task with the process id that the shell made up for it.
    pub fn find(&self, pid: u32) -> Option<Rc<Task>> {
        let entries = self.entries.borrow();
        entries
            .values()
            .find(|entry| entry.task.own_pid() == pid)
            .map(|entry| Rc::clone(&entry.task))
    }

    /// Makes the record of a task that is not started yet.
    pub fn new_task(&self, parent: Option<&Rc<Task>>) -> Rc<Task> {
        let number = self.next.get();
        self.next.set(number + 1);
        let pid = PSEUDO_PID_FIRST.saturating_add(u32::try_from(number).unwrap_or(0));
        let task = Rc::new(Task::new(number, pid));
        if let Some(parent) = parent {
            parent.adopt(&task);
        }
        task
    }

    /// Starts `task`; it runs when the executor comes to it.
    pub fn start(&self, task: &Rc<Task>, future: LocalFuture<'static, Ending>) {
        let number = task.number();
        let waker = Waker::from(Arc::new(TaskWaker {
            number,
            ready: Arc::clone(&self.ready),
        }));
        let entry = Entry {
            future: Some(future),
            task: Rc::clone(task),
            waker,
        };
        self.entries.borrow_mut().insert(number, entry);
        self.ready.push(number);
    }

    /// Lets a task run until it waits for the first time.
    pub fn poll_now(&self, task: &Task) {
        self.poll(task.number());
    }

    fn poll(&self, number: TaskNumber) {
        let taken = match self.entries.borrow_mut().get_mut(&number) {
            Some(entry) => entry
                .future
                .take()
                .map(|future| (future, Rc::clone(&entry.task), entry.waker.clone())),
            None => None,
        };
        let Some((mut future, task, waker)) = taken else {
            return;
        };
        let outcome = future.as_mut().poll(&mut Context::from_waker(&waker));
        if let Some(ending) = task.cancelled() {
            drop(future);
            self.entries.borrow_mut().remove(&number);
            task.finish(ending);
            return;
        }
        match outcome {
            Poll::Ready(ending) => {
                drop(future);
                self.entries.borrow_mut().remove(&number);
                task.finish(ending);
            }
            Poll::Pending => {
                if let Some(entry) = self.entries.borrow_mut().get_mut(&number) {
                    entry.future = Some(future);
                }
            }
        }
    }

    /// Notes that a task which ran inside another has ended.
    pub fn finish(&self, task: &Task, ending: Ending) {
        task.finish(ending);
    }

    /// Ends a task as a signal would: its programs get the signal, its own tasks end with it.
    pub fn cancel(&self, task: &Rc<Task>, signal: u8) {
        if task.ending().is_some() {
            return;
        }
        for child in task.take_children() {
            sys::kill(sys::signed(child.pid()), signal);
        }
        for nested in task.take_tasks() {
            self.cancel(&nested, signal);
        }
        let ending = Ending::Signaled(signal);
        let entry = self.entries.borrow_mut().remove(&task.number());
        match entry {
            // It is being polled right now, further down the stack: it is dropped when that poll returns.
            Some(entry) if entry.future.is_none() => {
                task.set_cancelled(ending);
                self.entries.borrow_mut().insert(task.number(), entry);
            }
            Some(entry) => {
                drop(entry);
                task.finish(ending);
            }
            None => task.finish(ending),
        }
    }

    /// Returns how many bytes of stack are taken since the executor began.
    pub fn stack_depth(&self) -> usize {
        self.stack_start.get().abs_diff(stack_position())
    }

    /// Runs until `main` has ended and returns its ending. Other tasks are left as they are.
    pub fn run(&self, main: &Rc<Task>) -> Ending {
        self.stack_start.set(stack_position());
        loop {
            while let Some(number) = self.ready.pop() {
                self.poll(number);
                if let Some(ending) = main.ending() {
                    return ending;
                }
            }
            self.wait();
        }
    }

    /// Runs the tasks that are left until all have ended; programs that have taken a task's place go on alone.
    pub fn run_rest(&self) {
        loop {
            while let Some(number) = self.ready.pop() {
                self.poll(number);
            }
            let is_done = self
                .entries
                .borrow()
                .values()
                .all(|entry| entry.task.is_replaced());
            if is_done {
                return;
            }
            self.wait();
        }
    }

    /// Ends what a task waits for, but not the task itself.
    pub fn cancel_foreground(&self, task: &Rc<Task>, signal: u8) {
        for child in task.take_children() {
            sys::kill(sys::signed(child.pid()), signal);
        }
        for nested in task.take_tasks() {
            self.cancel(&nested, signal);
        }
    }

    /// Blocks until something that a task waits for has happened, or only looks while tasks are ready.
    fn wait(&self) {
        let only_look = !self.ready.is_empty();
        let woken = Waiting::wait(&self.waiting, only_look);
        for waker in woken {
            waker.wake();
        }
        for waker in self.signal_wakers.take() {
            waker.wake();
        }
    }

    /// Returns a future that is ready once `interest` is there.
    pub fn until(&self, interest: Interest) -> impl Future<Output = ()> {
        waiting::Until::new(self, interest)
    }

    /// Registers a task that must look at signals whenever the executor woke up.
    pub fn wake_at_signal(&self, waker: &Waker) {
        let mut wakers = self.signal_wakers.borrow_mut();
        if !wakers.iter().any(|other| other.will_wake(waker)) {
            wakers.push(waker.clone());
        }
    }

    /// Lets every other task that is ready go on first.
    pub async fn yield_now(&self) {
        let mut has_yielded = false;
        std::future::poll_fn(|context| {
            if std::mem::replace(&mut has_yielded, true) {
                return Poll::Ready(());
            }
            for waker in self.signal_wakers.take() {
                waker.wake();
            }
            for waker in Waiting::wait(&self.waiting, true) {
                waker.wake();
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    fn waiting(&self) -> &RefCell<Waiting> {
        &self.waiting
    }
}

/// Returns about where the stack is now.
#[inline(never)]
fn stack_position() -> usize {
    let here = 0_u8;
    std::ptr::from_ref(std::hint::black_box(&here)).addr()
}
