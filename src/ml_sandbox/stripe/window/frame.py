"""The frame around every page: head, style, navigation and the script that keeps it fresh."""

from ml_sandbox.stripe.window.markup import Html, joined, link, tag

STYLE = """
:root{--ink:#1c2430;--soft:#5d6878;--line:#e2e6ec;--ground:#f5f6f8;--paper:#fff;--mark:#4a4fbf;
--good:#1b6b45;--good-bg:#e2f3ea;--bad:#a32138;--bad-bg:#fbe6ea;--busy:#8a5a00;--busy-bg:#fdf1d8;
--calm:#475264;--calm-bg:#e9edf2}
*{box-sizing:border-box}
body{margin:0;font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;color:var(--ink);
background:var(--ground)}
a{color:var(--mark);text-decoration:none}a:hover{text-decoration:underline}
header{background:var(--paper);border-bottom:1px solid var(--line);padding:.7rem 1.5rem;
display:flex;flex-wrap:wrap;gap:.4rem 1rem;align-items:center;position:sticky;top:0;z-index:1}
header strong{font-size:1.05rem;letter-spacing:-.01em;white-space:nowrap}
nav{display:flex;flex-wrap:wrap;gap:.1rem .2rem}
nav a{padding:.25rem .42rem;border-radius:5px;color:var(--soft);font-size:.9rem}
nav a[aria-current]{background:var(--calm-bg);color:var(--ink);font-weight:600}
header .tick{margin-left:auto;padding:0;color:var(--soft);font-size:.87rem}
main{max-width:84rem;margin:0 auto;padding:1.6rem 1.5rem 4rem}
h1{font-size:1.55rem;letter-spacing:-.02em;margin:.1rem 0 1.1rem;line-height:1.25;
overflow-wrap:anywhere}
h1 .status{font-size:.85rem;vertical-align:.3rem;margin-left:.5rem;letter-spacing:0}
h2{font-size:1rem;margin:0 0 .8rem}
section{background:var(--paper);border:1px solid var(--line);border-radius:8px;
padding:1.1rem 1.3rem;margin-bottom:1.2rem}
.columns{display:grid;grid-template-columns:repeat(auto-fit,minmax(21rem,1fr));gap:0 1.2rem;
align-items:start}
.scroll{overflow-x:auto}
table{width:100%;border-collapse:collapse;font-size:.93rem}
th{color:var(--soft);font-weight:500;font-size:.82rem;text-align:left;white-space:nowrap}
td,th{padding:.42rem .7rem;border-bottom:1px solid var(--line);vertical-align:top}
td:first-child,th:first-child{padding-left:0}td:last-child,th:last-child{padding-right:0}
tbody tr:last-child td{border-bottom:0}
.right{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.money{font-variant-numeric:tabular-nums;white-space:nowrap}.minus{color:var(--bad)}
.none,.empty,.hint{color:var(--soft)}.empty,.hint{margin:.2rem 0}
.hint{font-size:.87rem}td .hint{max-width:14rem;overflow:hidden;text-overflow:ellipsis;
white-space:nowrap;font-size:.82rem}
code,.id{font:.86em ui-monospace,SFMono-Regular,Menlo,monospace}
time{white-space:nowrap;font-variant-numeric:tabular-nums}
.status{display:inline-block;padding:.05rem .55rem;border-radius:1rem;font-size:.8rem;
font-weight:600;white-space:nowrap}
.good{background:var(--good-bg);color:var(--good)}.bad{background:var(--bad-bg);color:var(--bad)}
.busy{background:var(--busy-bg);color:var(--busy)}.calm{background:var(--calm-bg);
color:var(--calm)}
dl{margin:0;display:grid;gap:.35rem}dl div{display:grid;grid-template-columns:11rem 1fr;gap:.6rem}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
form{display:flex;flex-wrap:wrap;gap:.6rem .8rem;align-items:end;margin-bottom:.9rem}
form:last-child{margin-bottom:0}
label{display:grid;gap:.15rem;font-size:.82rem;color:var(--soft)}
.tick{display:flex;gap:.4rem;align-items:center;padding-bottom:.35rem}
.tick span{color:inherit}
input:not([type=checkbox]),select{font:inherit;font-size:.93rem;color:var(--ink);
padding:.25rem .5rem;border:1px solid #b9c1cc;border-radius:5px;background:#fff;width:11rem;
height:2.15rem;max-width:100%}
input.small{width:6.5rem}
button{font:inherit;font-size:.93rem;padding:0 .95rem;height:2.15rem;border:1px solid var(--mark);
border-radius:5px;background:var(--mark);color:#fff;cursor:pointer}
button:hover{filter:brightness(1.1)}
a:focus-visible,button:focus-visible,input:focus-visible,select:focus-visible,
summary:focus-visible{outline:3px solid #b9bbf0;outline-offset:1px}
.said{padding:.6rem 1rem;border-radius:6px;margin:0 0 1.1rem}
.big{font-size:1.5rem;letter-spacing:-.02em;line-height:1.3;display:block}
.figures{display:flex;flex-wrap:wrap;gap:1rem 2.4rem}
.figures small{color:var(--soft);display:block}
pre{margin:.6rem 0 0;font:.82rem/1.45 ui-monospace,SFMono-Regular,Menlo,monospace;overflow:auto;
max-height:34rem}
summary{cursor:pointer;color:var(--soft)}
.pages{display:flex;gap:1rem;margin-top:.9rem}
.acts{display:grid;grid-template-columns:repeat(auto-fit,minmax(24rem,1fr));gap:1rem 2rem}
.acts form{margin:0}
.row{display:flex;flex-wrap:wrap;gap:.7rem}.row form{margin:0}
.scroll+form{margin-top:.8rem}section>p:last-child{margin-bottom:0}
.switches form{display:grid;grid-template-columns:1fr auto;align-items:center;margin:0;
padding:.4rem 0;border-bottom:1px solid var(--line)}
.switches form:last-child{border-bottom:0}
.switches label{display:grid;grid-template-columns:1fr 9rem;align-items:center;gap:1rem;
font-size:.93rem;color:var(--ink);padding:0}
.switches .tick input{order:2;justify-self:start;width:1.05rem;height:1.05rem}
.switches input:not([type=checkbox]){width:9rem}
.switches button{background:#fff;color:var(--mark);height:1.9rem}
.pages+section{margin-top:.8rem}
@media(max-width:40rem){main,header{padding-left:1rem;padding-right:1rem}
dl div{grid-template-columns:1fr;gap:0}.columns{grid-template-columns:1fr}}
"""
SCRIPT = """
const box=document.querySelector('#fresh');
box.checked=localStorage.getItem('fresh')!=='no';
box.addEventListener('change',()=>localStorage.setItem('fresh',box.checked?'yes':'no'));
const busy=part=>part.contains(document.activeElement)&&document.activeElement!==document.body;
async function look(){
  if(!box.checked||document.hidden)return;
  const answer=await fetch(location.href);
  if(!answer.ok)return;
  const fresh=new DOMParser().parseFromString(await answer.text(),'text/html');
  for(const part of document.querySelectorAll('[data-live]')){
    const name=part.dataset.live, other=fresh.querySelector(`[data-live="${name}"]`);
    if(other&&!busy(part)&&part.innerHTML!==other.innerHTML)part.innerHTML=other.innerHTML;
  }
}
setInterval(()=>look().catch(()=>{}),2000);
const faults=document.querySelector('[data-faults]');
if(faults)faults.addEventListener('submit',async event=>{
  event.preventDefault();
  const given=Object.fromEntries(new FormData(faults)), rule={};
  for(const name of ['kind','when','method','path'])if(given[name])rule[name]=given[name];
  for(const name of ['times','status','seconds'])if(given[name])rule[name]=Number(given[name]);
  const clear=event.submitter.value==='clear';
  const answer=await fetch('/_sandbox/faults',clear?{method:'DELETE'}:
    {method:'POST',headers:{'Content-Type':'application/json'},body:JSON.stringify([rule])});
  document.querySelector('[data-set]').textContent=answer.ok?await answer.text():
    'This sandbox was started without the fault layer.';
});
"""
PLACES = (
    ("", "Overview"), ("customers", "Customers"), ("invoices", "Invoices"),
    ("payments", "Payments"), ("refunds", "Refunds"), ("disputes", "Disputes"),
    ("payouts", "Payouts"), ("ledger", "Ledger"), ("events", "Events"),
    ("endpoints", "Webhooks"), ("switches", "Switches"),
)  # fmt: skip


def whole(place: str, title: str, said: tuple[str, bool] | None, nonce: str, body: Html) -> str:
    """A whole page; `said` is what the last act answered and whether it went well."""
    fresh = tag("label", tag("input", type="checkbox", id="fresh"), "Refresh", klass="tick")
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", f"{title} \N{MIDDLE DOT} Stripe sandbox"),
        tag("style", Html(STYLE), nonce=nonce),
    )
    bar = tag("header", tag("strong", "Stripe sandbox"), navigation(place), fresh)
    notice = joined()
    if said is not None:
        tone = "good" if said[1] else "bad"
        notice = tag("p", said[0], klass=f"said {tone}", role="status")
    script = tag("script", Html(SCRIPT), nonce=nonce)
    page = tag("body", bar, tag("main", notice, body), script)
    return f"<!doctype html>{tag('html', head, page, lang='en')}"


def navigation(place: str) -> Html:
    """The links to all places."""
    marks = (
        link(name, label)
        if name != place
        else tag("a", label, href=f"/_window/{name}".rstrip("/"), aria_current="page")
        for name, label in PLACES
    )
    return tag("nav", *marks)
