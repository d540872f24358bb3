//! Signals are the whole process's, and end any thread's wait: they are tested alone.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "tests")]

use process::wait;

#[test]
fn handled_signals_queue_and_end_the_wait() {
    let own = i32::try_from(process::pid()).unwrap();
    process::set_signals(1 << process::signal::USR1, 1 << process::signal::USR2);
    process::kill(own, process::signal::USR2).unwrap();
    process::kill(own, process::signal::USR1).unwrap();
    assert!(wait(&[], None).is_empty());
    assert_eq!(process::pending(), [process::signal::USR1]);
    assert!(process::pending().is_empty());
}
