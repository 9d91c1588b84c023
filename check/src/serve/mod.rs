//! A server that does everything right, and on demand one thing wrong.

pub(crate) struct Mutant {
    pub(crate) name: &'static str,
    pub(crate) mistake: &'static str,
    pub(crate) breaks: &'static [&'static str],
}

pub(crate) const MUTANTS: &[Mutant] = &[];

pub(crate) fn run(_serve: &crate::arguments::Serve) -> Result<(), String> {
    Err("not there yet".into())
}
