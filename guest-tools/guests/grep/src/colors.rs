//! The colors of `GREP_COLORS`.

/// The sequences between `ESC [` and `m`, empty for none.
#[derive(Debug)]
pub(crate) struct Colors {
    pub(crate) selected_match: String,
    pub(crate) context_match: String,
    pub(crate) selected_line: String,
    pub(crate) context_line: String,
    pub(crate) name: String,
    pub(crate) line_number: String,
    pub(crate) byte_offset: String,
    pub(crate) separator: String,
    /// With `-v`, selected and context lines change places.
    pub(crate) is_reversed: bool,
    /// No `ESC [ K` behind sequences.
    pub(crate) no_erase: bool,
}

impl Colors {
    /// Reads the variable, which changes the defaults it names.
    pub(crate) fn new(variable: &str) -> Self {
        let mut colors = Self {
            selected_match: "01;31".to_owned(),
            context_match: "01;31".to_owned(),
            selected_line: String::new(),
            context_line: String::new(),
            name: "35".to_owned(),
            line_number: "32".to_owned(),
            byte_offset: "32".to_owned(),
            separator: "36".to_owned(),
            is_reversed: false,
            no_erase: false,
        };
        for entry in variable.split(':') {
            let (name, value) = entry.split_once('=').unwrap_or((entry, ""));
            if !value
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b';')
            {
                break;
            }
            let value = value.to_owned();
            match name {
                "mt" => {
                    colors.selected_match.clone_from(&value);
                    colors.context_match = value;
                }
                "ms" => colors.selected_match = value,
                "mc" => colors.context_match = value,
                "sl" => colors.selected_line = value,
                "cx" => colors.context_line = value,
                "fn" => colors.name = value,
                "ln" => colors.line_number = value,
                "bn" => colors.byte_offset = value,
                "se" => colors.separator = value,
                "rv" => colors.is_reversed = true,
                "ne" => colors.no_erase = true,
                _ => {}
            }
        }
        colors
    }
}
