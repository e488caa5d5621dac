"""Django's settings, flat: what may differ between deployments comes from `environment.py`."""

from pathlib import Path
from typing import Any

from project.environment import development_key, read_environment

BASE_DIR = Path(__file__).resolve().parent.parent
ENVIRONMENT = read_environment(base_dir=BASE_DIR)

DEBUG = False
SECRET_KEY = ENVIRONMENT.secret_key or development_key(ENVIRONMENT.data_dir, "secret")
ALLOWED_HOSTS = list(ENVIRONMENT.allowed_hosts)
# What links in mails begin with; where it is not set, the host that was asked, which ALLOWED_HOSTS names.
PUBLIC_URL = ENVIRONMENT.public_url
ROOT_URLCONF = "project.urls"
ASGI_APPLICATION = "project.asgi.application"

INSTALLED_APPS = [
    # Of the admin only its classes are used: its own app and that of sign-in would bring models for a SQL database.
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "ninja",
    "channels",
    "apps.storage",
    "apps.audit",
    "apps.jobs",
    "apps.terminal",
    "apps.console",
    "apps.accounts",
    "apps.teams",
    "apps.ladders",
    "apps.assessments",
    "apps.reports",
    "apps.policy_runs",
    "apps.trail",
    "apps.home",
    "project",
]

MIDDLEWARE = [
    "project.middleware.CostMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "project.middleware.RequestContextMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "apps.accounts.time_zone_middleware.TimeZoneMiddleware",
    "apps.accounts.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "project.middleware.DomainErrorMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [("django.template.loaders.cached.Loader", ["django.template.loaders.filesystem.Loader"])],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "apps.accounts.context.single_sign_on",
                "project.frame.frame",
            ],
            "libraries": {"admin_urls": "django.contrib.admin.templatetags.admin_urls"},
        },
    }
]

# Rungs has no SQL database: everything lives in DynamoDB behind apps.storage.
DATABASES: dict[str, dict[str, object]] = {}

STORAGE: dict[str, Any] = {
    "ENVIRONMENT": ENVIRONMENT.name,
    "TABLE_PREFIX": ENVIRONMENT.table_prefix,
    "TABLE_NAMES": ENVIRONMENT.table_names,
    "ENDPOINT": ENVIRONMENT.endpoint,
    "REGION": ENVIRONMENT.region,
    "DATA_PLANE": ENVIRONMENT.data_plane,
    "ENCRYPTION_KEYS": ENVIRONMENT.encryption_keys
    or ((development_key(ENVIRONMENT.data_dir, "encryption"),) if ENVIRONMENT.is_dev else ()),
    "KMS_KEY": ENVIRONMENT.kms_key,
    "DATA_DIR": ENVIRONMENT.data_dir,
    # A laptop without an endpoint of its own gets the embedded engine.
    "EMBEDDED": ENVIRONMENT.is_dev and ENVIRONMENT.endpoint is None,
    "THREADS": 24,
    # What is brought up to date once the tables are there.
    "AFTER_SETUP": ["apps.policy_runs.wiring.synchronise_asts"],
}

JOBS: dict[str, Any] = {
    "HANDLERS": [
        "apps.policy_runs.handler.PolicyRunHandler",
        "apps.assessments.handler.SeasonHandler",
        "apps.home.handler.TableHealthHandler",
    ],
    "EXECUTIONS_AT_ONCE": 4,
}
# Who follows a team whose members or manager changed: functions of a team's id, and `now` by keyword.
TEAMS: dict[str, Any] = {"AFTER_CHANGE": ["apps.assessments.wiring.follow_team"]}
# The embedded demo host answers as a busy mainframe does, so that one can watch.
TERMINAL: dict[str, Any] = {"DEMO_LATENCY_SECONDS": 0.2}

SESSION_ENGINE = "apps.storage.sessions"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = not ENVIRONMENT.is_dev
CSRF_COOKIE_SECURE = not ENVIRONMENT.is_dev
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "project.views.csrf_failure"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
LOGIN_URL = "accounts:sign_in"
SINGLE_SIGN_ON = ENVIRONMENT.single_sign_on
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

# Roles that must sign in with a second factor: without one they are led to set it up before anything else.
SECOND_FACTOR_ROLES = ENVIRONMENT.second_factor_roles
TRUSTED_PROXIES = ENVIRONMENT.trusted_proxies
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENVIRONMENT.trusted_proxies else None
SECURE_SSL_REDIRECT = not ENVIRONMENT.is_dev
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = 0 if ENVIRONMENT.is_dev else 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = not ENVIRONMENT.is_dev
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [ENVIRONMENT.redis_url]},
    }
    if ENVIRONMENT.redis_url
    else {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 1000}},
}

EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend"
    if ENVIRONMENT.email.host
    else "django.core.mail.backends.console.EmailBackend"
)
EMAIL_HOST = ENVIRONMENT.email.host or ""
EMAIL_PORT = ENVIRONMENT.email.port
EMAIL_HOST_USER = ENVIRONMENT.email.user
EMAIL_HOST_PASSWORD = ENVIRONMENT.email.password
EMAIL_USE_TLS = ENVIRONMENT.email.use_tls
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = ENVIRONMENT.email.sender

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = None if ENVIRONMENT.is_dev else BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = ENVIRONMENT.is_dev
WHITENOISE_AUTOREFRESH = ENVIRONMENT.is_dev
STORAGES = {
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if ENVIRONMENT.is_dev
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    }
}

# What the levels of the career ladder are called, from level 1 up.
LEVEL_NAMES = ENVIRONMENT.level_names
METRICS_TOKEN = ENVIRONMENT.metrics_token
AUDIT_RETENTION_DAYS = ENVIRONMENT.audit_retention_days
LOGGING_CONFIG = "project.logs.configure"
LOGGING = {"level": ENVIRONMENT.log_level, "json": not ENVIRONMENT.is_dev}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
