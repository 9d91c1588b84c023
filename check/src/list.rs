//! What there is: checks, and mistakes of the model server.

use std::fmt::Write as _;

use crate::checks::{Needs, UNSEEN, all, coverage};
use crate::serve::MUTANTS;

pub(crate) fn checks() -> String {
    let mut text = String::new();
    for check in all() {
        let needs = match check.needs {
            Needs::Nothing => "",
            Needs::Login => "; needs a login",
            Needs::Safety => "; needs --safety",
            Needs::Browser => "; needs --browser",
        };
        let _ = writeln!(text, "{} ({}{needs})", check.id, check.severity.name());
        let _ = writeln!(text, "    {}", check.wrong);
        let _ = writeln!(text, "    breaks  {}", check.breaks);
        let _ = writeln!(text, "    change  {}", check.change);
        let _ = writeln!(text, "    says    {} ({})", check.clause, check.rows.join(", "));
    }
    text.push_str("\nNot seen from outside:\n");
    for (row, reason) in UNSEEN {
        let _ = writeln!(text, "    {row}: {reason}");
    }
    let _ = writeln!(
        text,
        "\n{} checks name {} requirements and attacks; {} rows cannot be seen from outside.",
        all().count(),
        coverage().len(),
        UNSEEN.len()
    );
    text
}

pub(crate) fn mutants() -> String {
    let mut text = String::new();
    for mutant in MUTANTS {
        let breaks = match mutant.breaks {
            [] => "nobody, for it is no mistake".to_owned(),
            some => some.join(", "),
        };
        let _ = writeln!(
            text,
            "{}\n    {}; seen at {} ({:?}) by {breaks}",
            mutant.name, mutant.mistake, mutant.at, mutant.how
        );
    }
    text
}
