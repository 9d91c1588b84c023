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
    use std::fmt::Write as _;
    use std::path::Path;

    use super::HELP;

    #[test]
    fn help_fits_a_screen() {
        assert!(HELP.lines().count() <= 24, "{}", HELP.lines().count());
        for line in HELP.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }

    /// The manual page, of the same text.
    fn manual() -> String {
        let mut page = String::from(
            ".TH IIIF-AUTH-PROXY 1\n.SH NAME\niiif\\-auth\\-proxy \\- IIIF authorization in front of an image \
             server\n.SH DESCRIPTION\n.nf\n",
        );
        for line in HELP.lines() {
            // A dot or quote at the beginning would be a request.
            let guard = if line.starts_with(['.', '\'']) { "\\&" } else { "" };
            let line = line.replace('\\', "\\e").replace('-', "\\-");
            let _ = writeln!(page, "{guard}{line}");
        }
        page.push_str(
            ".fi\n.SH SIGNALS\nSIGHUP has the configuration and its files read again; SIGTERM and SIGINT end the \
             proxy when the requests that are begun are answered.\n.SH ENVIRONMENT\nRUST_LOG takes the place of \
             the filter in [log].\n.SH EXIT STATUS\n0 without a mistake, 1 with one, 2 where the command line is \
             not understood.\n.SH FILES\n/etc/iiif\\-auth\\-proxy/proxy.toml, where the unit of systemd expects \
             it.\n",
        );
        page
    }

    /// `UPDATE_DOCUMENTS=1 cargo test -p iiif-auth-proxy manual` writes it.
    #[test]
    fn the_manual_says_what_help_says() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/iiif-auth-proxy.1");
        if std::env::var_os("UPDATE_DOCUMENTS").is_some() {
            std::fs::write(&file, manual()).unwrap();
        }
        assert_eq!(std::fs::read_to_string(file).unwrap(), manual());
    }
}
