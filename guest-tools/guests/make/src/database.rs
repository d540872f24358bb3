//! What make knows, printed for `-p`.

use crate::maker::Maker;
use crate::place::shown;
use crate::variable::Variable;

impl Maker {
    /// Prints variables, rules and files.
    pub(crate) fn print_database(&mut self) {
        let mut lines: Vec<String> = vec![
            "# GNU Make 4.3".to_owned(),
            String::new(),
            "# Make data base".to_owned(),
            String::new(),
            "# Variables".to_owned(),
            String::new(),
        ];
        let mut names: Vec<&Vec<u8>> = self.variables.keys().collect();
        names.sort();
        for name in names {
            if let Some(variable) = self.variables.get(name) {
                lines.extend(definition_lines(&shown(name), variable));
            }
        }
        lines.extend([String::new(), "# Implicit Rules".to_owned(), String::new()]);
        for rule in &self.rules {
            let targets: Vec<String> = rule
                .targets
                .iter()
                .map(|target| shown(&target.with(b"%")))
                .collect();
            let needs: Vec<String> = rule.needs.iter().map(|(need, _)| shown(need)).collect();
            let colon = if rule.terminal { "::" } else { ":" };
            lines.push(
                format!("{}{colon} {}", targets.join(" "), needs.join(" "))
                    .trim_end()
                    .to_owned(),
            );
            if let Some(recipe) = &rule.recipe {
                lines.extend(recipe_lines(recipe));
            }
            lines.push(String::new());
        }
        lines.extend(["# Files".to_owned(), String::new()]);
        for file in &self.files {
            for body in &file.bodies {
                let names = |order_only: bool| -> Vec<String> {
                    body.dependencies
                        .iter()
                        .filter(|need| need.order_only == order_only)
                        .map(|need| shown(self.name(need.file)))
                        .collect()
                };
                if !file.is_target {
                    lines.push("# Not a target:".to_owned());
                }
                let colon = if file.double_colon { "::" } else { ":" };
                let mut line = format!("{}{colon} {}", shown(&file.name), names(false).join(" "));
                let order = names(true);
                if !order.is_empty() {
                    line.push_str(&format!(" | {}", order.join(" ")));
                }
                lines.push(line.trim_end().to_owned());
                if let Some(recipe) = &body.recipe {
                    lines.extend(recipe_lines(recipe));
                }
                lines.push(String::new());
            }
        }
        lines.push("# Finished Make data base".to_owned());
        let text = lines.join("\n");
        self.say(text.as_bytes());
    }
}

fn recipe_lines(recipe: &crate::file::Recipe) -> Vec<String> {
    let place = match &recipe.place {
        Some(place) => format!("(from '{}', line {}):", place.file, place.line),
        None => "(built-in):".to_owned(),
    };
    let head = format!("#  recipe to execute {place}");
    std::iter::once(head)
        .chain(recipe.lines.iter().map(|line| format!("\t{}", shown(line))))
        .collect()
}

fn definition_lines(name: &str, variable: &Variable) -> Vec<String> {
    let origin = match variable.origin {
        crate::variable::Origin::File => "makefile",
        crate::variable::Origin::Override => "'override' directive",
        crate::variable::Origin::EnvironmentOverride => "environment under -e",
        other => other.name(),
    };
    let place = match &variable.place {
        Some(place) => format!(" (from '{}', line {})", place.file, place.line),
        None => String::new(),
    };
    let value = shown(&variable.value);
    let mut lines = vec![format!("# {origin}{place}")];
    if value.contains('\n') {
        lines.push(format!("define {name}"));
        lines.push(value);
        lines.push("endef".to_owned());
    } else {
        let operator = if variable.recursive { "=" } else { ":=" };
        lines.push(format!("{name} {operator} {value}"));
    }
    lines
}
