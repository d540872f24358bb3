//! `:`, `true` and `false`.

use super::builtin::{Builtin, Class, Run};

/// `:`
pub const COLON: Builtin = Builtin {
    name: ":",
    usage: ":",
    class: Class::Special,
    run: Run::Now(|_, _| Ok(0)),
};

/// `true`
pub const TRUE: Builtin = Builtin {
    name: "true",
    usage: "true",
    class: Class::Regular,
    run: Run::Now(|_, _| Ok(0)),
};

/// `false`
pub const FALSE: Builtin = Builtin {
    name: "false",
    usage: "false",
    class: Class::Regular,
    run: Run::Now(|_, _| Ok(1)),
};
