//! Variables whose value is computed at each reading.
//!
//! Their entry in the table only names the source; unsetting the variable takes the meaning away for good.

/// Where a computed value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dynamic {
    /// `BASHPID`
    BashPid,
    /// `BASH_COMMAND`
    Command,
    /// `BASH_SUBSHELL`
    Subshell,
    /// `BASH_ARGV0`
    ArgumentZero,
    /// `DIRSTACK`
    DirectoryStack,
    /// `EPOCHSECONDS`
    EpochSeconds,
    /// `EPOCHREALTIME`
    EpochRealtime,
    /// `FUNCNAME`
    FunctionNames,
    /// `BASH_SOURCE`
    Sources,
    /// `BASH_ARGC`
    ArgumentCounts,
    /// `BASH_ARGV`
    ArgumentValues,
    /// `BASH_LINENO`
    Lines,
    /// `GROUPS`
    Groups,
    /// `LINENO`
    Line,
    /// `RANDOM`
    Random,
    /// `SRANDOM`
    SecureRandom,
    /// `SECONDS`
    Seconds,
    /// `BASH_ALIASES`
    Aliases,
    /// `BASH_CMDS`
    Commands,
    /// `PIPESTATUS`
    PipeStatus,
    /// `SHELLOPTS`
    ShellOptions,
    /// `BASHOPTS`
    BashOptions,
    /// `_`
    LastArgument,
    /// `HISTCMD`
    HistoryNumber,
}

impl Dynamic {
    /// The names that mean something computed in a new shell.
    pub const NAMES: &'static [(&'static str, Self)] = &[
        ("BASHPID", Self::BashPid),
        ("BASH_COMMAND", Self::Command),
        ("BASH_SUBSHELL", Self::Subshell),
        ("BASH_ARGV0", Self::ArgumentZero),
        ("DIRSTACK", Self::DirectoryStack),
        ("EPOCHSECONDS", Self::EpochSeconds),
        ("EPOCHREALTIME", Self::EpochRealtime),
        ("FUNCNAME", Self::FunctionNames),
        ("BASH_SOURCE", Self::Sources),
        ("BASH_ARGC", Self::ArgumentCounts),
        ("BASH_ARGV", Self::ArgumentValues),
        ("BASH_LINENO", Self::Lines),
        ("GROUPS", Self::Groups),
        ("LINENO", Self::Line),
        ("RANDOM", Self::Random),
        ("SRANDOM", Self::SecureRandom),
        ("SECONDS", Self::Seconds),
        ("BASH_ALIASES", Self::Aliases),
        ("BASH_CMDS", Self::Commands),
        ("PIPESTATUS", Self::PipeStatus),
        ("SHELLOPTS", Self::ShellOptions),
        ("BASHOPTS", Self::BashOptions),
        ("_", Self::LastArgument),
        ("HISTCMD", Self::HistoryNumber),
    ];

    /// Returns whether the value is an indexed array.
    pub fn is_indexed(self) -> bool {
        matches!(
            self,
            Self::DirectoryStack
                | Self::FunctionNames
                | Self::Sources
                | Self::Lines
                | Self::Groups
                | Self::PipeStatus
                | Self::ArgumentCounts
                | Self::ArgumentValues
        )
    }

    /// Returns whether the value is an associative array.
    pub fn is_associative(self) -> bool {
        matches!(self, Self::Aliases | Self::Commands)
    }

    /// Returns whether assigning changes nothing, without an error.
    pub fn ignores_assignment(self) -> bool {
        matches!(
            self,
            Self::BashPid
                | Self::Subshell
                | Self::EpochSeconds
                | Self::EpochRealtime
                | Self::FunctionNames
                | Self::Sources
                | Self::Lines
                | Self::Groups
                | Self::SecureRandom
                | Self::PipeStatus
                | Self::Command
                | Self::HistoryNumber
                | Self::ArgumentCounts
                | Self::ArgumentValues
        )
    }
}
