"""Letters: claimed in `ops.mail` before they go out, so that none goes out twice.

A row is claimed and committed, then the letter is handed to the server. When the server certainly did not take it, the
row is `failed` and the next run tries again, with the same Message-ID. When the line broke while the letter was on its
way (or this process was killed), nobody knows: such a row stays as it is and is never tried again; `cchc status` shows
it to a person.
"""

from __future__ import annotations

import hashlib
import logging
import smtplib
import ssl
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formataddr, formatdate, make_msgid

from sqlalchemy import Engine, text

from cchc.settings import Settings
from publish.contacts import addresses

_log = logging.getLogger(__name__)
_SECONDS = 30
_MOST_ERROR = 300

REMINDER, ALERT = "reminder", "alert"
SENT, KNOWN, FAILED, UNKNOWN = "sent", "known", "failed", "unknown"

# of two processes one gets the row; a row that failed is free again
_CLAIM = text("""
    insert into ops.mail (kind, topic, period_id, department, days_before, subject, message_id, state)
    values (:kind, :topic, :period_id, :department, :days_before, :subject, :message_id, 'sending')
    on conflict (kind, topic) where closed_at is null
    do update set
        state = 'sending', attempt_count = mail.attempt_count + 1, claimed_at = clock_timestamp(),
        subject = excluded.subject, error = null
    where mail.state = 'failed'
    returning mail_id, message_id
""")
_NOT_NEEDED = text("""
    insert into ops.mail (kind, topic, period_id, department, days_before, subject, message_id, state)
    values (:kind, :topic, :period_id, :department, :days_before, :subject, '', 'not_needed')
    on conflict (kind, topic) where closed_at is null do nothing
""")
_FINISH = text("""
    update ops.mail
    set state = :state, error = :error, sent_at = case when :state = 'sent' then clock_timestamp() end
    where mail_id = :mail_id
""")
_CLOSE = text("""
    update ops.mail set closed_at = clock_timestamp()
    where kind = 'alert' and closed_at is null and mail_id = any(:ids)
""")
_OPEN = text("select mail_id, topic from ops.mail where kind = 'alert' and closed_at is null")


@dataclass(frozen=True)
class MailServer:
    """Where letters are handed in, and from whom they come. `security` is starttls, ssl or none."""

    host: str
    port: int
    security: str
    username: str
    password: str
    sender: str
    sender_name: str

    @property
    def domain(self) -> str:
        return self.sender.rpartition("@")[2]


@dataclass(frozen=True)
class Letter:
    """One letter; `topic` is what it is about: of one kind and topic only one goes out while the matter is open."""

    kind: str
    topic: str
    to: tuple[str, ...]
    subject: str
    body: str
    attachments: tuple[tuple[str, bytes], ...] = ()
    period_id: str | None = None
    department: str | None = None
    days_before: int | None = None


def server_of(settings: Settings) -> MailServer | None:
    """The mail server of the settings; None when there is none. Raises ContactsUnreadable for a sender that is none."""
    if settings.smtp_host is None:
        return None
    sender = settings.smtp_sender or (settings.smtp_username if "@" in settings.smtp_username else "")
    [sender] = addresses(sender or f"cchc@{settings.smtp_host}")
    return MailServer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        security=settings.smtp_security,
        username=settings.smtp_username,
        password=settings.smtp_password.get_secret_value(),
        sender=sender,
        sender_name=f"Kho dữ liệu CCHC {settings.province_name}",
    )


def send_once(engine: Engine, server: MailServer, letter: Letter) -> str:
    """Send a letter unless one of its kind and topic went out; returns sent, known, failed or unknown.

    Faults of the server are an outcome, not an exception.
    """
    with engine.begin() as connection:
        row = connection.execute(
            _CLAIM, _columns(letter) | {"message_id": _message_id(letter, server.domain)}
        ).one_or_none()
    if row is None:
        return KNOWN
    state, error = _hand_in(server, _message(letter, server, row.message_id), letter.to)
    with engine.begin() as connection:
        connection.execute(_FINISH, {"state": state, "error": error, "mail_id": row.mail_id})
    if state != SENT:
        _log.error("%s: thư chưa đi (%s): %s", letter.subject, state, error)
    return state


def send(server: MailServer, letter: Letter) -> str:
    """Send a letter without a row in ops.mail, for when the warehouse is what is broken; returns as `send_once`."""
    state, _ = _hand_in(server, _message(letter, server, _message_id(letter, server.domain)), letter.to)
    return state


def note_not_needed(engine: Engine, letter: Letter) -> None:
    """That this letter is not called for, now and later."""
    with engine.begin() as connection:
        connection.execute(_NOT_NEEDED, _columns(letter))


def close(engine: Engine, is_over: Callable[[str], bool]) -> None:
    """Alerts on topics of which `is_over` are over: what breaks again after this is told again."""
    with engine.begin() as connection:
        ids = [row.mail_id for row in connection.execute(_OPEN) if is_over(row.topic)]
        if ids:
            connection.execute(_CLOSE, {"ids": ids})


def _columns(letter: Letter) -> dict[str, object]:
    return {
        "kind": letter.kind,
        "topic": letter.topic,
        "period_id": letter.period_id,
        "department": letter.department,
        "days_before": letter.days_before,
        "subject": letter.subject,
    }


def _message_id(letter: Letter, domain: str) -> str:
    if letter.kind == ALERT:
        # the same matter may open again
        return make_msgid(domain=domain)
    # made from what it is about: should it ever come twice, mail programs show it once
    name = hashlib.sha256("\0".join((letter.kind, letter.topic)).encode()).hexdigest()[:32]
    return f"<{name}@{domain}>"


def _message(letter: Letter, server: MailServer, message_id: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = formataddr((server.sender_name, server.sender))
    message["To"] = ", ".join(letter.to)
    message["Subject"] = letter.subject
    message["Date"] = formatdate(localtime=True)
    message["Message-ID"] = message_id
    # nobody's out-of-office reply is wanted
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.body)
    for name, content in letter.attachments:
        message.add_attachment(
            content,
            maintype="application",
            subtype="vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            filename=name,
        )
    return message


def _hand_in(server: MailServer, message: EmailMessage, to: tuple[str, ...]) -> tuple[str, str | None]:
    """(sent, failed or unknown; what went wrong)"""
    try:
        with _connection(server) as session:
            session.ehlo_or_helo_if_needed()
            code, answer = session.mail(server.sender)
            if code != 250:
                return FAILED, _error(smtplib.SMTPResponseException(code, answer))
            answers = [session.rcpt(address) for address in to]
            refused = [answer for answer in answers if answer[0] not in (250, 251)]
            if len(refused) == len(to):
                return FAILED, _error(smtplib.SMTPResponseException(*refused[0]))
            try:
                code, answer = session.data(message.as_bytes(policy=message.policy.clone(linesep="\r\n")))
            except smtplib.SMTPDataError as error:
                # said before any of it was on its way
                return FAILED, _error(error)
            except (OSError, smtplib.SMTPException) as error:
                return UNKNOWN, _error(error)
            if code != 250:
                return FAILED, _error(smtplib.SMTPResponseException(code, answer))
            some = f"{len(refused)}/{len(to)} địa chỉ bị máy chủ thư từ chối" if refused else None
            return SENT, some
    except (OSError, smtplib.SMTPException) as error:
        return FAILED, _error(error)


@contextmanager
def _connection(server: MailServer):  # noqa: ANN202
    if server.security == "ssl":
        session = smtplib.SMTP_SSL(server.host, server.port, timeout=_SECONDS, context=ssl.create_default_context())
    else:
        session = smtplib.SMTP(server.host, server.port, timeout=_SECONDS)
    try:
        if server.security == "starttls":
            session.starttls(context=ssl.create_default_context())
        if server.username:
            session.login(server.username, server.password)
        yield session
    finally:
        # the letter's fate is settled by now, whatever becomes of the farewell
        with suppress(OSError, smtplib.SMTPException):
            session.quit()
        session.close()


def _error(error: Exception) -> str:
    """Kind and code alone: what a server answers may quote the address or what was said at login."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"máy chủ thư trả lời mã {error.smtp_code}"
    return f"{type(error).__name__}: không nói chuyện được với máy chủ thư"[:_MOST_ERROR]
