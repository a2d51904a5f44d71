"""The sign-in and consent page of the identity server, for people who want to see it."""

from html import escape

from ml_sandbox.acumatica.wire import Answer

_HTML = (b"content-type", b"text/html; charset=utf-8")
_NAMES = (
    "response_type client_id redirect_uri scope state code_challenge code_challenge_method nonce"
).split()
_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;background:#eef1f6;color:#1c2430;margin:0}
main{max-width:24rem;margin:12vh auto;background:#fff;padding:2rem;border-radius:10px;
box-shadow:0 1px 3px #0003}
h1{font-size:1.25rem;margin:0 0 1rem}label{display:block;margin:.8rem 0 .2rem}
input{width:100%;box-sizing:border-box;padding:.5rem;font:inherit;border:1px solid #b8c0cc;
border-radius:6px}button{font:inherit;padding:.5rem 1rem;border-radius:6px;border:1px solid #1f4e8c;
background:#1f4e8c;color:#fff;margin:1.2rem .5rem 0 0}button.no{background:#fff;color:#1f4e8c}
.bad{color:#a3231f}
"""


def consent_page(query: dict[str, str], tenant: str, *, wrong: bool = False) -> Answer:
    """The page; its form posts back to the authorize address with what was asked."""
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(query[name], quote=True)}">'
        for name in _NAMES
        if name in query
    )
    scopes = "".join(f"<li>{escape(each)}</li>" for each in query.get("scope", "api").split())
    error = (
        '<p class="bad" role="alert">Invalid credentials. Please try again.</p>' if wrong else ""
    )
    page = f"""<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>Sign in to {escape(tenant)}</title>
<style>{_STYLE}</style></head><body><main><h1>Sign in to {escape(tenant)}</h1>{error}
<form method="post">{hidden}
<label for="u">Username</label><input id="u" name="username" autocomplete="username">
<label for="p">Password</label><input id="p" name="password" type="password">
<p>The application asks for:</p><ul>{scopes}</ul>
<button name="decision" value="allow">Allow</button>
<button class="no" name="decision" value="deny">Deny</button></form></main></body></html>"""
    return Answer(200, page.encode(), [_HTML])
