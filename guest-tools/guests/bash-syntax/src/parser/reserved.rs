//! Reserved words.

/// A reserved word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reserved {
    If,
    Then,
    Else,
    Elif,
    Fi,
    Case,
    Esac,
    For,
    Select,
    While,
    Until,
    Do,
    Done,
    In,
    Function,
    Time,
    OpenBrace,
    CloseBrace,
    Bang,
    OpenCondition,
    CloseCondition,
    Coproc,
}

impl Reserved {
    pub(super) fn from_text(text: &[u8]) -> Option<Self> {
        Some(match text {
            b"if" => Self::If,
            b"then" => Self::Then,
            b"else" => Self::Else,
            b"elif" => Self::Elif,
            b"fi" => Self::Fi,
            b"case" => Self::Case,
            b"esac" => Self::Esac,
            b"for" => Self::For,
            b"select" => Self::Select,
            b"while" => Self::While,
            b"until" => Self::Until,
            b"do" => Self::Do,
            b"done" => Self::Done,
            b"in" => Self::In,
            b"function" => Self::Function,
            b"time" => Self::Time,
            b"{" => Self::OpenBrace,
            b"}" => Self::CloseBrace,
            b"!" => Self::Bang,
            b"[[" => Self::OpenCondition,
            b"]]" => Self::CloseCondition,
            b"coproc" => Self::Coproc,
            _ => return None,
        })
    }

    /// Whether a compound command begins with it.
    pub(super) fn opens_compound(self) -> bool {
        matches!(
            self,
            Self::If
                | Self::Case
                | Self::For
                | Self::Select
                | Self::While
                | Self::Until
                | Self::OpenBrace
                | Self::OpenCondition
        )
    }

    /// Whether a command begins with it.
    pub(super) fn opens_command(self) -> bool {
        self.opens_compound()
            || matches!(
                self,
                Self::Function | Self::Time | Self::Bang | Self::Coproc
            )
    }
}
