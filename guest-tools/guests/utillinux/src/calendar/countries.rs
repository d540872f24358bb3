//! When countries left the Julian calendar.

/// Countries: code, name, the last day of the Julian calendar.
pub(super) const COUNTRIES: &[(&str, &str, (i64, i64, i64))] = &[
    ("AL", "Albania", (1912, 11, 30)),
    ("AT", "Austria", (1583, 10, 5)),
    ("AU", "Australia", (1752, 9, 2)),
    ("BE", "Belgium", (1582, 12, 14)),
    ("BG", "Bulgaria", (1916, 3, 31)),
    ("CA", "Canada", (1752, 9, 2)),
    ("CH", "Switzerland", (1655, 2, 28)),
    ("CN", "China", (1911, 12, 18)),
    ("CZ", "Czech Republic", (1584, 1, 6)),
    ("DE", "Germany", (1700, 2, 18)),
    ("DK", "Denmark", (1700, 2, 18)),
    ("ES", "Spain", (1582, 10, 4)),
    ("FI", "Finland", (1753, 2, 17)),
    ("FR", "France", (1582, 12, 9)),
    ("GB", "United Kingdom", (1752, 9, 2)),
    ("GR", "Greece", (1924, 3, 9)),
    ("HU", "Hungary", (1587, 10, 21)),
    ("IS", "Iceland", (1700, 11, 16)),
    ("IT", "Italy", (1582, 10, 4)),
    ("JP", "Japan", (1918, 12, 18)),
    ("LI", "Lithuania", (1918, 2, 1)),
    ("LU", "Luxembourg", (1582, 12, 14)),
    ("LV", "Latvia", (1918, 2, 1)),
    ("NL", "Netherlands", (1582, 12, 14)),
    ("NO", "Norway", (1700, 2, 18)),
    ("PL", "Poland", (1582, 10, 4)),
    ("PT", "Portugal", (1582, 10, 4)),
    ("RO", "Romania", (1919, 3, 31)),
    ("RU", "Russia", (1918, 1, 31)),
    ("SI", "Slovenia", (1919, 3, 4)),
    ("SE", "Sweden", (1753, 2, 17)),
    ("TR", "Turkey", (1926, 12, 18)),
    ("US", "United States", (1752, 9, 2)),
    ("YU", "Yugoslavia", (1919, 3, 4)),
];

/// Shows the countries in two columns, `*` before the one that is used.
pub(super) fn list(used: &str) -> String {
    let half = COUNTRIES.len().div_ceil(2);
    let mut out = String::new();
    for (left, right) in (0..half).map(|place| (COUNTRIES.get(place), COUNTRIES.get(place + half)))
    {
        let shown: Vec<String> = [left, right]
            .into_iter()
            .flatten()
            .map(|(code, name, (year, month, day))| {
                let mark = if *code == used { '*' } else { ' ' };
                format!("{mark}{code} {name:<15}{year:04}-{month:02}-{day:02}")
            })
            .collect();
        out.push_str(&shown.join("     "));
        out.push('\n');
    }
    out
}
