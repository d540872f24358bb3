//! The options of `set -o` and `shopt`.

/// One `set -o` option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum SetOption {
    /// `-a`
    AllExport,
    /// `-B`
    BraceExpand,
    /// `emacs`
    Emacs,
    /// `-e`
    ErrExit,
    /// `-E`
    ErrTrace,
    /// `-T`
    FuncTrace,
    /// `-h`
    HashAll,
    /// `-H`
    HistExpand,
    /// `history`
    History,
    /// `ignoreeof`
    IgnoreEof,
    /// `interactive-comments`
    InteractiveComments,
    /// `-k`
    Keyword,
    /// `-m`
    Monitor,
    /// `-C`
    NoClobber,
    /// `-n`
    NoExec,
    /// `-f`
    NoGlob,
    /// `nolog`
    NoLog,
    /// `-b`
    Notify,
    /// `-u`
    NoUnset,
    /// `-t`
    OneCommand,
    /// `-P`
    Physical,
    /// `pipefail`
    PipeFail,
    /// `posix`
    Posix,
    /// `-p`
    Privileged,
    /// `-v`
    Verbose,
    /// `vi`
    Vi,
    /// `-x`
    XTrace,
}

impl SetOption {
    /// All options in the order in which bash lists them, with name and letter.
    pub const ALL: &'static [(Self, &'static str, Option<u8>)] = &[
        (Self::AllExport, "allexport", Some(b'a')),
        (Self::BraceExpand, "braceexpand", Some(b'B')),
        (Self::Emacs, "emacs", None),
        (Self::ErrExit, "errexit", Some(b'e')),
        (Self::ErrTrace, "errtrace", Some(b'E')),
        (Self::FuncTrace, "functrace", Some(b'T')),
        (Self::HashAll, "hashall", Some(b'h')),
        (Self::HistExpand, "histexpand", Some(b'H')),
        (Self::History, "history", None),
        (Self::IgnoreEof, "ignoreeof", None),
        (Self::InteractiveComments, "interactive-comments", None),
        (Self::Keyword, "keyword", Some(b'k')),
        (Self::Monitor, "monitor", Some(b'm')),
        (Self::NoClobber, "noclobber", Some(b'C')),
        (Self::NoExec, "noexec", Some(b'n')),
        (Self::NoGlob, "noglob", Some(b'f')),
        (Self::NoLog, "nolog", None),
        (Self::Notify, "notify", Some(b'b')),
        (Self::NoUnset, "nounset", Some(b'u')),
        (Self::OneCommand, "onecmd", Some(b't')),
        (Self::Physical, "physical", Some(b'P')),
        (Self::PipeFail, "pipefail", None),
        (Self::Posix, "posix", None),
        (Self::Privileged, "privileged", Some(b'p')),
        (Self::Verbose, "verbose", Some(b'v')),
        (Self::Vi, "vi", None),
        (Self::XTrace, "xtrace", Some(b'x')),
    ];

    /// Returns the option of that name.
    pub fn by_name(name: &[u8]) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, other, _)| other.as_bytes() == name)
            .map(|(option, _, _)| *option)
    }

    /// Returns the option of that letter.
    pub fn by_letter(letter: u8) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, _, other)| *other == Some(letter))
            .map(|(option, _, _)| *option)
    }
}

macro_rules! shopt {
    ($($variant:ident $name:literal $default:literal,)*) => {
        /// One `shopt` option.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        #[allow(missing_docs, reason = "named as bash names them")]
        pub enum Shopt { $($variant,)* }

        impl Shopt {
            /// All options in the order in which bash lists them, with name and default.
            pub const ALL: &'static [(Self, &'static str, bool)] =
                &[$((Self::$variant, $name, $default),)*];
        }
    };
}

shopt! {
    AutoCd "autocd" false,
    AssocExpandOnce "assoc_expand_once" false,
    CdableVars "cdable_vars" false,
    CdSpell "cdspell" false,
    CheckHash "checkhash" false,
    CheckJobs "checkjobs" false,
    CheckWinSize "checkwinsize" true,
    CmdHist "cmdhist" true,
    Compat31 "compat31" false,
    Compat32 "compat32" false,
    Compat40 "compat40" false,
    Compat41 "compat41" false,
    Compat42 "compat42" false,
    Compat43 "compat43" false,
    Compat44 "compat44" false,
    CompleteFullQuote "complete_fullquote" true,
    DirExpand "direxpand" false,
    DirSpell "dirspell" false,
    DotGlob "dotglob" false,
    ExecFail "execfail" false,
    ExpandAliases "expand_aliases" false,
    ExtDebug "extdebug" false,
    ExtGlob "extglob" false,
    ExtQuote "extquote" true,
    FailGlob "failglob" false,
    ForceFignore "force_fignore" true,
    GlobAsciiRanges "globasciiranges" true,
    GlobSkipDots "globskipdots" true,
    GlobStar "globstar" false,
    GnuErrFmt "gnu_errfmt" false,
    HistAppend "histappend" false,
    HistReEdit "histreedit" false,
    HistVerify "histverify" false,
    HostComplete "hostcomplete" true,
    HupOnExit "huponexit" false,
    InheritErrExit "inherit_errexit" false,
    InteractiveComments "interactive_comments" true,
    LastPipe "lastpipe" false,
    LitHist "lithist" false,
    LocalVarInherit "localvar_inherit" false,
    LocalVarUnset "localvar_unset" false,
    LoginShell "login_shell" false,
    MailWarn "mailwarn" false,
    NoEmptyCmdCompletion "no_empty_cmd_completion" false,
    NoCaseGlob "nocaseglob" false,
    NoCaseMatch "nocasematch" false,
    NoExpandTranslation "noexpand_translation" false,
    NullGlob "nullglob" false,
    PatsubReplacement "patsub_replacement" true,
    ProgComp "progcomp" true,
    ProgCompAlias "progcomp_alias" false,
    PromptVars "promptvars" true,
    RestrictedShell "restricted_shell" false,
    ShiftVerbose "shift_verbose" false,
    SourcePath "sourcepath" true,
    VarRedirClose "varredir_close" false,
    XpgEcho "xpg_echo" false,
}

impl Shopt {
    /// Returns the option of that name.
    pub fn by_name(name: &[u8]) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, other, _)| other.as_bytes() == name)
            .map(|(option, _, _)| *option)
    }
}

/// The state of all options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    set: u32,
    shopt: u64,
}

impl Default for Options {
    fn default() -> Self {
        let mut options = Self { set: 0, shopt: 0 };
        for option in [
            SetOption::BraceExpand,
            SetOption::HashAll,
            SetOption::InteractiveComments,
        ] {
            options.put(option, true);
        }
        for (option, _, is_on) in Shopt::ALL {
            options.put_shopt(*option, *is_on);
        }
        options
    }
}

impl Options {
    /// Returns whether a `set -o` option is on.
    pub const fn has(self, option: SetOption) -> bool {
        self.set & (1 << option as u8) != 0
    }

    /// Turns a `set -o` option on or off.
    pub fn put(&mut self, option: SetOption, is_on: bool) {
        let bit = 1 << option as u8;
        self.set = if is_on {
            self.set | bit
        } else {
            self.set & !bit
        };
    }

    /// Returns whether a `shopt` option is on.
    pub const fn has_shopt(self, option: Shopt) -> bool {
        self.shopt & (1 << option as u8) != 0
    }

    /// Turns a `shopt` option on or off.
    pub fn put_shopt(&mut self, option: Shopt, is_on: bool) {
        if option == Shopt::ExtDebug {
            // Turning it on or off turns these on or off, as long as nobody sets them by themselves.
            let is_change = self.has_shopt(option) != is_on;
            if is_change {
                self.put(SetOption::FuncTrace, is_on);
                self.put(SetOption::ErrTrace, is_on);
            }
        }
        let bit = 1 << option as u8;
        self.shopt = if is_on {
            self.shopt | bit
        } else {
            self.shopt & !bit
        };
    }

    /// Returns the value of `SHELLOPTS`.
    pub fn shell_options(self) -> String {
        let on: Vec<&str> = SetOption::ALL
            .iter()
            .filter(|(option, _, _)| self.has(*option))
            .map(|(_, name, _)| *name)
            .collect();
        on.join(":")
    }

    /// Returns the value of `BASHOPTS`.
    pub fn bash_options(self) -> String {
        let on: Vec<&str> = Shopt::ALL
            .iter()
            .filter(|(option, _, _)| self.has_shopt(*option))
            .map(|(_, name, _)| *name)
            .collect();
        on.join(":")
    }
}
