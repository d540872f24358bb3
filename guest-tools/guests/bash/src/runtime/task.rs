//! The record of a task: how it ended, what runs on its behalf, and the signals sent to it.
//!
//! A task that ends, in whatever way, wakes everybody who waits for it.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Poll, Waker};

use super::TaskNumber;
use crate::sys;

/// How a task or a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// With a status.
    Exited(u8),
    /// By a signal.
    Signaled(u8),
}

impl Ending {
    /// Returns the value for `$?`.
    pub fn status(self) -> u8 {
        match self {
            Self::Exited(status) => status,
            Self::Signaled(signal) => 128_u8.wrapping_add(signal),
        }
    }
}

/// A task.
pub struct Task {
    number: TaskNumber,
    pid: u32,
    ending: Cell<Option<Ending>>,
    cancelled: Cell<Option<Ending>>,
    wakers: RefCell<Vec<Waker>>,
    /// Programs that the task waits for, which end with it when it is cancelled.
    children: RefCell<Vec<Rc<sys::Child>>>,
    tasks: RefCell<Vec<Rc<Task>>>,
    /// Signals sent to the task that it handles with a trap.
    signals: RefCell<VecDeque<u8>>,
    trapped: Cell<u64>,
    ignored: Cell<u64>,
    /// The program that the task has become: it has nothing to do any more but to wait for it.
    replaced_by: RefCell<Option<Rc<sys::Child>>>,
}

impl Task {
    pub(super) fn new(number: TaskNumber, pid: u32) -> Self {
        Self {
            number,
            pid,
            ending: Cell::new(None),
            cancelled: Cell::new(None),
            wakers: RefCell::default(),
            children: RefCell::default(),
            tasks: RefCell::default(),
            signals: RefCell::default(),
            trapped: Cell::new(0),
            ignored: Cell::new(0),
            replaced_by: RefCell::default(),
        }
    }

    /// Returns its number in the executor.
    pub fn number(&self) -> TaskNumber {
        self.number
    }

    /// Returns its process id: that of the program it has become, else one that the shell made up.
    pub fn pid(&self) -> u32 {
        match &*self.replaced_by.borrow() {
            Some(child) => child.pid(),
            None => self.pid,
        }
    }

    /// Returns the process id that the shell made up, also after it has become a program.
    pub fn own_pid(&self) -> u32 {
        self.pid
    }

    /// Says that the task has become a program.
    pub fn replace(&self, child: &Rc<sys::Child>) {
        *self.replaced_by.borrow_mut() = Some(Rc::clone(child));
    }

    /// Returns whether the task has become a program.
    pub fn is_replaced(&self) -> bool {
        self.replaced_by.borrow().is_some()
    }

    /// Returns how it ended; none while it runs.
    pub fn ending(&self) -> Option<Ending> {
        self.ending.get()
    }

    pub(super) fn finish(&self, ending: Ending) {
        if self.ending.get().is_some() {
            return;
        }
        self.ending.set(Some(ending));
        for waker in self.wakers.take() {
            waker.wake();
        }
    }

    pub(super) fn cancelled(&self) -> Option<Ending> {
        self.cancelled.get()
    }

    pub(super) fn set_cancelled(&self, ending: Ending) {
        self.cancelled.set(Some(ending));
    }

    /// Waits for its end.
    pub async fn ended(&self) -> Ending {
        std::future::poll_fn(|context| match self.ending.get() {
            Some(ending) => Poll::Ready(ending),
            None => {
                self.wake_at_event(context.waker());
                Poll::Pending
            }
        })
        .await
    }

    /// Registers somebody to wake when the task ends or gets a signal.
    pub fn wake_at_event(&self, waker: &Waker) {
        let mut wakers = self.wakers.borrow_mut();
        if !wakers.iter().any(|other| other.will_wake(waker)) {
            wakers.push(waker.clone());
        }
    }

    pub(super) fn adopt(&self, task: &Rc<Task>) {
        let mut tasks = self.tasks.borrow_mut();
        tasks.retain(|task| task.ending().is_none());
        tasks.push(Rc::clone(task));
    }

    /// Lets a task live on when this one is cancelled (`disown`, background jobs).
    pub fn release(&self, task: &Task) {
        let mut tasks = self.tasks.borrow_mut();
        tasks.retain(|other| other.number() != task.number());
    }

    /// Registers a program that ends with the task.
    pub fn adopt_child(&self, child: &Rc<sys::Child>) {
        self.children.borrow_mut().push(Rc::clone(child));
    }

    /// Forgets a program that has ended.
    pub fn release_child(&self, child: &Rc<sys::Child>) {
        let mut children = self.children.borrow_mut();
        children.retain(|other| !Rc::ptr_eq(other, child));
    }

    pub(super) fn take_children(&self) -> Vec<Rc<sys::Child>> {
        self.children.take()
    }

    pub(super) fn take_tasks(&self) -> Vec<Rc<Task>> {
        self.tasks.take()
    }

    /// Tells which signals the task handles with a trap and which it ignores: bit n stands for signal n.
    pub fn set_dispositions(&self, trapped: u64, ignored: u64) {
        self.trapped.set(trapped);
        self.ignored.set(ignored);
    }

    /// Takes in a signal. Returns false when the task does not handle it, hence must end.
    pub fn deliver(&self, signal: u8) -> bool {
        let bit = 1_u64.checked_shl(u32::from(signal)).unwrap_or(0);
        if self.ignored.get() & bit != 0 {
            return true;
        }
        if self.trapped.get() & bit == 0 {
            return false;
        }
        self.signals.borrow_mut().push_back(signal);
        for waker in self.wakers.take() {
            waker.wake();
        }
        true
    }

    /// Returns whether signals wait to be taken.
    pub fn has_signals(&self) -> bool {
        !self.signals.borrow().is_empty()
    }

    /// Takes the signals sent since the last time.
    pub fn take_signals(&self) -> Vec<u8> {
        self.signals.borrow_mut().drain(..).collect()
    }
}
