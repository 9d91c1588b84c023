//! What the command says of itself. The manual page is made of the same text.

/// It fits a screen of 24 lines with 80 columns.
pub(super) const HELP: &str = "\
IIIF authorization in front of an image server.

Usage: iiif-auth-proxy COMMAND [OPTIONS]

  init [FOLDER]       write a commented proxy.toml, a key and a file of users
  check [--probe]     tell every mistake of a configuration, with its line
  serve               answer requests
  users add NAME      let somebody in; also: passwd NAME, remove NAME, list
  key generate FILE   make a key; also: rotate FILE [--add | --switch | --drop]

  -c, --config FILE   the configuration (proxy.toml)
  --for SERVER        of init: iipimage, cantaloupe, static or other
  --upstream URL      of init: where the image server listens
  --public-url URL    of init: what browsers type
  --probe             of check: also ask the image server and the store
  --sample ID         of check --probe: the identifier of an image
  --role ROLE         of users add: one that the user has; may be repeated
  --file FILE         of users: the file itself, without a configuration
  -h, --help; -V, --version

Passwords are asked for, or read from standard input. Also understood:
--config FILE, --config FILE --check, --hash-password
";

/// The name and version.
pub(super) const VERSION: &str = concat!("iiif-auth-proxy ", env!("CARGO_PKG_VERSION"), "\n");

#[cfg(test)]
mod tests {
    use super::HELP;

    #[test]
    fn help_fits_a_screen() {
        assert!(HELP.lines().count() <= 24, "{}", HELP.lines().count());
        for line in HELP.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}
