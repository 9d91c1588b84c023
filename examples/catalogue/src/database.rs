//! Users and items, in `SQLite`: what an application has already.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use tokio::sync::Semaphore;
use tower_iiif_auth::BoxError;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS users (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, password TEXT NOT NULL, role TEXT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS items (
        identifier TEXT PRIMARY KEY, title TEXT NOT NULL, rights TEXT NOT NULL, until INTEGER NOT NULL DEFAULT 0
    );";

/// What is there at the first start. The passwords are the names.
const USERS: [(&str, &str); 2] = [("ada", "member"), ("grace", "staff")];
pub(crate) const ITEMS: [(&str, &str, &str); 7] = [
    ("poster", "A poster", "public"),
    ("songbook", "A songbook, for whoever accepts the terms", "terms"),
    ("atlas", "An atlas, for members", "members"),
    ("map", "A map: whole for members, small for all", "small"),
    ("newspaper", "A newspaper, on the campus", "campus"),
    ("thesis", "A thesis, under an embargo", "embargo"),
    ("ledger", "A ledger, for the staff", "staff"),
];

#[derive(Clone)]
pub(crate) struct Database {
    pool: SqlitePool,
    /// Hashing takes a core and 19 MB for a while: strangers who try passwords do not get all of them.
    hashing: Arc<Semaphore>,
}

pub(crate) struct User {
    /// What sessions know a user by: names may change hands.
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) role: String,
}

#[derive(Clone)]
pub(crate) struct Item {
    pub(crate) identifier: String,
    pub(crate) title: String,
    pub(crate) rights: String,
    /// When an embargo ends, in milliseconds since 1970.
    pub(crate) until: i64,
}

type Row = (String, String, String, i64);

impl Item {
    fn of((identifier, title, rights, until): Row) -> Self {
        Self { identifier, title, rights, until }
    }
}

impl Database {
    /// Opens the file, or a database in memory that ends with the process.
    pub(crate) async fn open(file: Option<&str>) -> Result<Self, BoxError> {
        let options = match file {
            Some(file) => SqliteConnectOptions::new().filename(file).create_if_missing(true),
            None => SqliteConnectOptions::new().in_memory(true),
        };
        let pool = SqlitePoolOptions::new();
        // Each connection to a database in memory has another one.
        let pool = match file {
            Some(_) => pool.max_connections(4),
            None => {
                pool.max_connections(1).min_connections(1).idle_timeout(None).max_lifetime(None)
            }
        };
        let pool = pool.connect_with(options).await?;
        sqlx::raw_sql(SCHEMA).execute(&pool).await?;
        let database = Self { pool, hashing: Arc::new(Semaphore::new(2)) };
        database.fill().await?;
        Ok(database)
    }

    async fn fill(&self) -> Result<(), BoxError> {
        let (users,): (i64,) =
            sqlx::query_as("SELECT count(*) FROM users").fetch_one(&self.pool).await?;
        if users > 0 {
            return Ok(());
        }
        for (name, role) in USERS {
            self.add_user(name, name, role).await?;
        }
        let day = 24 * 60 * 60 * 1000;
        let tomorrow = i64::try_from(now())? + day;
        for (identifier, title, rights) in ITEMS {
            let until = if rights == "embargo" { tomorrow } else { 0 };
            self.add_item(identifier, title, rights, until).await?;
        }
        Ok(())
    }

    async fn add_user(&self, name: &str, password: &str, role: &str) -> Result<(), BoxError> {
        let salt = SaltString::generate(&mut OsRng);
        let hash = Argon2::default().hash_password(password.as_bytes(), &salt)?.to_string();
        let insert = "INSERT INTO users (name, password, role) VALUES (?, ?, ?)";
        sqlx::query(insert).bind(name).bind(hash).bind(role).execute(&self.pool).await?;
        Ok(())
    }

    async fn add_item(
        &self,
        identifier: &str,
        title: &str,
        rights: &str,
        until: i64,
    ) -> Result<(), sqlx::Error> {
        sqlx::query("INSERT INTO items VALUES (?, ?, ?, ?)")
            .bind(identifier)
            .bind(title)
            .bind(rights)
            .bind(until)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Who has this name and password. It takes as long for a name that nobody has.
    pub(crate) async fn log_in(&self, name: &str, given: String) -> Result<Option<User>, BoxError> {
        let account: Option<(i64, String, String, String)> =
            sqlx::query_as("SELECT id, name, role, password FROM users WHERE name = ?")
                .bind(name)
                .fetch_optional(&self.pool)
                .await?;
        let (user, stored) = match account {
            Some((id, name, role, password)) => (Some(User { id, name, role }), password),
            None => (None, NOBODYS.to_owned()),
        };
        let _turn = self.hashing.acquire().await?;
        let fits = tokio::task::spawn_blocking(move || {
            let hash = PasswordHash::new(&stored);
            hash.is_ok_and(|hash| {
                Argon2::default().verify_password(given.as_bytes(), &hash).is_ok()
            })
        });
        let fits = fits.await?;
        Ok(user.filter(|_| fits))
    }

    pub(crate) async fn users(&self) -> Result<Vec<User>, sqlx::Error> {
        let users: Vec<(i64, String, String)> =
            sqlx::query_as("SELECT id, name, role FROM users ORDER BY name LIMIT 100")
                .fetch_all(&self.pool)
                .await?;
        Ok(users.into_iter().map(|(id, name, role)| User { id, name, role }).collect())
    }

    pub(crate) async fn user(&self, id: &str) -> Result<Option<String>, sqlx::Error> {
        let name: Option<(String,)> = sqlx::query_as("SELECT name FROM users WHERE id = ?")
            .bind(id)
            .fetch_optional(&self.pool)
            .await?;
        Ok(name.map(|(name,)| name))
    }

    pub(crate) async fn item(&self, identifier: &str) -> Result<Option<Item>, sqlx::Error> {
        let item: Option<Row> = sqlx::query_as(
            "SELECT identifier, title, rights, until FROM items WHERE identifier = ?",
        )
        .bind(identifier)
        .fetch_optional(&self.pool)
        .await?;
        Ok(item.map(Item::of))
    }

    pub(crate) async fn items(&self) -> Result<Vec<Item>, sqlx::Error> {
        let items = "SELECT identifier, title, rights, until FROM items ORDER BY rowid LIMIT 100";
        let items: Vec<Row> = sqlx::query_as(items).fetch_all(&self.pool).await?;
        Ok(items.into_iter().map(Item::of).collect())
    }

    /// Whether there was such an item.
    pub(crate) async fn set_rights(
        &self,
        identifier: &str,
        rights: &str,
    ) -> Result<bool, sqlx::Error> {
        let update = "UPDATE items SET rights = ? WHERE identifier = ?";
        let done = sqlx::query(update).bind(rights).bind(identifier).execute(&self.pool).await?;
        Ok(done.rows_affected() == 1)
    }

    /// So many more items, and users who cannot log in.
    #[cfg(test)]
    pub(crate) async fn grow(&self, items: u32, users: u32) -> Result<(), sqlx::Error> {
        let numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)";
        let add = "INSERT INTO items SELECT 'item-' || i, 'Item ' || i, 'members', 0 FROM n";
        sqlx::query(&format!("{numbers} {add}")).bind(items).execute(&self.pool).await?;
        let add = "INSERT INTO users SELECT 1000 + i, 'user-' || i, '', 'member' FROM n";
        sqlx::query(&format!("{numbers} {add}")).bind(users).execute(&self.pool).await?;
        Ok(())
    }
}

/// What no password fits.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGhhcyBpdA$\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn now() -> u64 {
    use tower_iiif_auth::clock::{Clock, SystemClock};
    SystemClock.now().as_millis()
}
