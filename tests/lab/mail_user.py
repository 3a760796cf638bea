# SPDX-License-Identifier: MIT
"""What a person does with a mail client, on the loopback it is run in.

    mail_user.py submit LOGIN SENDER RECIPIENT SUBJECT [PORT]    a login, a mail
                                                         port 587 with STARTTLS, or 465
    mail_user.py send SENDER RECIPIENT SUBJECT           port 25, as another server
    mail_user.py fetch LOGIN SUBJECT                     port 143: waits for it, prints it
    mail_user.py file LOGIN FOLDER SUBJECT               port 143: puts a mail there; makes and
                                                         subscribes the folder
    mail_user.py folders LOGIN                           port 143: {folder: [mails, subscribed]}

The password is "secret". Prints the server's last word; exits with 1 when it is no.
"""

import contextlib
import imaplib
import json
import smtplib
import ssl
import sys
import time


def deliver(smtp, sender, recipient, subject):
    text = f"From: <{sender}>\r\nTo: <{recipient}>\r\nSubject: {subject}\r\n\r\nHello.\r\n"
    smtp.ehlo_or_helo_if_needed()
    for code, reply in (smtp.mail(sender), smtp.rcpt(recipient)):
        if code >= 400:
            return code, reply
    return smtp.data(text.encode())


def tls():
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def submission(port):
    """A connection with TLS."""
    if int(port) == 465:
        return smtplib.SMTP_SSL("127.0.0.1", 465, "client.test", timeout=30, context=tls())
    smtp = smtplib.SMTP("127.0.0.1", int(port), "client.test", 30)
    smtp.starttls(context=tls())
    return smtp


def submit(login, sender, recipient, subject, port=587, thinking=0):
    """thinking: seconds between the server's greeting and the login."""
    with submission(port) as smtp:
        time.sleep(thinking)
        try:
            smtp.login(login, "secret")
        except smtplib.SMTPAuthenticationError as error:
            return error.smtp_code, error.smtp_error
        return deliver(smtp, sender, recipient, subject)


def send(sender, recipient, subject):
    with smtplib.SMTP("127.0.0.1", 25, "client.test", 30) as smtp:
        return deliver(smtp, sender, recipient, subject)


class Refused(Exception):
    """A login."""


@contextlib.contextmanager
def logged_in(login):
    with imaplib.IMAP4("127.0.0.1", 143, 30) as imap:
        try:
            imap.login(login, "secret")
        except imaplib.IMAP4.error as error:
            raise Refused(error.args[0]) from error
        yield imap


def fetch(login, subject):
    """Until it is there: a delivery takes its time."""
    with logged_in(login) as imap:
        imap.select("INBOX")
        for _ in range(150):
            _, found = imap.search(None, "SUBJECT", f'"{subject}"')
            if found[0]:
                _, parts = imap.fetch(found[0].split()[0], "(RFC822)")
                return 250, parts[0][1]
            time.sleep(0.2)
            imap.noop()
    return 550, f"no mail with subject {subject}".encode()


def file(login, folder, subject):
    with logged_in(login) as imap:
        imap.create(folder)     # or it is there
        imap.subscribe(folder)
        said, (reply,) = imap.append(folder, None, None, f"Subject: {subject}\r\n\r\n".encode())
        return 250 if said == "OK" else 550, reply


def folders(login):
    with logged_in(login) as imap:
        listed, subscribed = ([line.decode().rpartition(" ")[2].strip('"') for line in lines if line]
                              for _, lines in (imap.list(), imap.lsub()))
        mails = {}
        for name in listed:
            imap.select(name, readonly=True)
            mails[name] = imap.uid("search", None, "ALL")[1][0].decode().split()
    return 250, json.dumps({name: [mails[name], name in subscribed] for name in listed})


def main():
    action = {"submit": submit, "send": send, "fetch": fetch, "file": file,
              "folders": folders}[sys.argv[1]]
    try:
        code, reply = action(*sys.argv[2:])
    except Refused as refusal:
        code, reply = 535, refusal.args[0]
    print(code, reply.decode(errors="replace") if isinstance(reply, bytes) else reply)
    return 0 if code < 400 else 1


if __name__ == "__main__":
    sys.exit(main())
