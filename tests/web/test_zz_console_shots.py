import csv, os
from datetime import timedelta
import pytest
from factories import *
from factories import a_bad_review
from server.kit import sql
from web.console_desk import a_case
pytestmark = pytest.mark.browser
OUT="/tmp/shots-console"
os.makedirs(OUT, exist_ok=True)
async def real_tags():
    await Tag.all().delete()
    for r in csv.DictReader(open('/work/main/server/catalogue/data/tags-national-2.csv')):
        await Tag.create(code=r['code'],level=int(r['level']),text=r['text'],primary=r['primary']=='是',version=2)
    await catalogue.load()
async def test_shots(http, city, live, browser):
    await real_tags()
    await sql.fetch("UPDATE staff SET name = CASE username WHEN 'handler' THEN '李静' WHEN 'lead' THEN '周国强' WHEN 'auditor' THEN '沈如' WHEN 'supervisor' THEN '高远' ELSE '陈默' END")
    await sql.fetch("UPDATE matters SET name='城镇住房保障家庭租赁补贴申请（含续期）' WHERE name='新居一件事'")
    await catalogue.load()
    cs=[]
    words=["排队两小时，\n材料跑了三趟，每次说的都不一样。最后一次窗口说系统坏了，让我下周再来，可我请假一天要扣两百块钱。电话13800138000","","态度冷淡","说好当场办结，结果等了一周"]
    tags=[["109","113"],["110"],["108","114","115"],[]]
    for i in range(14):
        cs.append(await a_case(http, city, visible=False, review={"level":1+i%2,"comment":words[i%4] or "慢","tags":[] if i%2 else tags[i%4], **({"real_name":True} if i==0 else {})} if words[i%4] or not i%2 else {"level":2,"comment":"慢","tags":[]}))
    cs.append(await a_case(http, city, agency=LABOUR, matter_code=JOINT_MATTER, visible=False))
    clock.advanced+=timedelta(minutes=11)
    h=await city.staff(http,"handler")
    for i in (2,3,4,5,6,7):
        a=f"/api/v1/work-orders/{cs[i].number}"
        await http.post(a+"/accept",json={},headers=h)
        if i>3: await http.post(a+"/answer",json={"disposition":"explained" if i%2 else "fixed","text":"您好，已核实：当天两个窗口停机检修，没有提前公告，是我们的问题。\n现已增开两个窗口，并在入口贴出公告。","legal_basis":"《优化营商环境条例》第三十六条"},headers=h)
        if i>5: await http.post(f"/api/v1/track/{cs[i].query_code}/confirmation",json={"satisfied":i==6,"comment":"还是没有公告"})
    now=clock.now()
    await sql.fetch("UPDATE work_orders SET next_due_at=$1 WHERE number=ANY($2::text[])", now-timedelta(days=3), [cs[2].number,cs[8].number])
    await sql.fetch("UPDATE work_orders SET next_due_at=$1 WHERE number=ANY($2::text[])", now.replace(hour=23,minute=59,second=59), [cs[9].number])
    await sql.fetch("UPDATE work_orders SET provisional=true WHERE number=ANY($1::text[])", [cs[10].number])
    (row,)=await sql.fetch("SELECT receipt_id FROM reviews WHERE order_number=$1", cs[0].number)
    for name,width,large in (("390",390,0),("1280",1280,0),("large",390,1)):
        async def person(user):
            ctx=await browser.new_context(viewport={"width":width,"height":800},device_scale_factor=1)
            p=await ctx.new_page()
            p.on("console", lambda m: print("CONSOLE", m.text, p.url))
            p.on("pageerror", lambda m: print("ERROR", m))
            await p.goto(live+f"/console?large={large}")
            if user:
                c=credentials(user)
                for k,v in c.items(): await p.fill("#"+k,v)
                await p.click("text=登录 >> nth=-1"); await p.wait_for_url("**/console**")
            return ctx,p
        async def shot(p,n):
            sw=await p.evaluate("document.documentElement.scrollWidth")
            if sw>width: print("WIDE", n, name, sw)
            await p.screenshot(path=f"{OUT}/{n}-{name}.png",full_page=True)
        ctx,p=await person("")
        await shot(p,"login")
        await p.fill("#username","handler"); await p.fill("#password","x"); await p.fill("#totp","1"); await p.keyboard.press("Enter"); await p.wait_for_selector("#wrong"); await shot(p,"login_wrong")
        await p.goto(live+"/console/login?why=ended"); await shot(p,"login_ended"); await ctx.close()
        ctx,p=await person("handler")
        await p.goto(live+"/console"); await shot(p,"now")
        await p.click("summary"); await shot(p,"now_help")
        await p.goto(live+"/console?show=all"); await shot(p,"all")
        await p.goto(live+"/console?q=排队"); await shot(p,"search")
        await p.goto(live+"/console?q=没有的词"); await shot(p,"search_empty")
        pass
        for n,i in (("assigned",0),("late",2),("accepted",3),("answered",4),("closed",6),("contested",7),("provisional",10),("cohandler",14)):
            await p.goto(live+"/console/orders/"+cs[i].number); await shot(p,"order_"+n)
        await p.goto(live+"/console/orders/"+cs[3].number)
        await p.check("#fixed"); await p.fill("#text","您好，已整改。\n第二行"); await p.click("text=先看群众会读到什么"); await shot(p,"order_preview")
        await p.evaluate("document.querySelectorAll('[required]').forEach(e=>e.required=false)"); await p.fill("#text","  "); await p.click("text=提交答复"); await shot(p,"order_fault")
        await p.goto(live+"/console/orders/x"); await shot(p,"404")
        await p.goto(live+"/console/audit"); await shot(p,"403")
        await p.goto(live+"/console/orders/"+cs[4].number); await p.emulate_media(media="print"); await shot(p,"print"); await ctx.close()
        ctx,p=await person("supervisor"); await p.goto(live+"/console"); await shot(p,"supervisor"); await p.goto(live+"/console/orders/"+cs[7].number); await shot(p,"supervisor_order"); await ctx.close()
        ctx,p=await person("desk"); await p.goto(live+"/console"); await shot(p,"empty"); await ctx.close()
        ctx,p=await person("auditor"); await shot(p,"audit"); await p.fill("#receipt",str(row["receipt_id"])); await p.fill("#reason","第四季度抽查"); await p.click("text=登记并查看"); await shot(p,"audit_receipt"); await p.goto(live+"/console/audit"); await p.fill("#receipt","12"); await p.fill("#reason","x"); await p.click("text=登记并查看"); await shot(p,"audit_fault"); await ctx.close()
        await sql.fetch("UPDATE staff SET role='admin', agency_code=NULL WHERE username='lead'")
        ctx,p=await person("lead"); await shot(p,"nothing"); await ctx.close()
        await sql.fetch("UPDATE staff SET role='agency_lead', agency_code=$1 WHERE username='lead'", HOUSING)
