// The browser's half: glass-easel as WeChat's page stack. Tests reach it through window.__mp.
import { glassEasel, MiniProgramEnv } from 'glass-easel-miniprogram-adapter'
import { builtIns } from './controls.js'
import { wx } from './wx.js'

const stack = []
const hooks = (globalThis.__mp = { calls: [], errors: [], handlers: globalThis.__given || {}, stack, kept: {} })
let description, groups, space, backend
let application = {}

export function setUp(given, generated) {
  description = given
  groups = generated
  Object.assign(hooks, { push, pop, show, description })
  const env = new MiniProgramEnv()
  env.getGlobalCodeSpace()
  space = env.createCodeSpace('', true)
  space.addStyleSheet('app', 'app')
  builtIns(env, space, groups)
  glassEasel.addGlobalErrorListener((error, method) => {
    hooks.errors.push(`${(method && method.is) || ''} ${error.stack || error}`)
  })
  addEventListener('unhandledrejection', ({ reason }) => hooks.errors.push(String((reason && reason.stack) || reason)))
  Object.assign(globalThis, { wx, App: (options) => (application = options), getApp: () => application })
  globalThis.getCurrentPages = () => stack.map(({ instance }) => instance)
  const context = new glassEasel.CurrentWindowBackendContext()
  backend = env.associateBackend(context)
  for (const [name, css] of Object.entries(description.styles)) backend.registerStyleSheetContent(name, css)
  context.onEvent(dispatch)
  ariaAsInWeChat()
}

function dispatch(target, type, detail, options) {
  const event = new glassEasel.Event(type, detail, options)
  event.dispatch(target)
  return event.defaultPrevented() ? 1 : 0
}

/** WeChat maps aria-role to role, and writes booleans out; the DOM backend writes "" for true. */
function ariaAsInWeChat() {
  const names = ['aria-role', 'aria-checked', 'aria-selected', 'aria-hidden']
  const mend = (element) => {
    if (element.nodeType !== 1) return
    for (const name of names) {
      const value = element.getAttribute(name)
      if (value === null) continue
      if (name === 'aria-role') {
        if (element.getAttribute('role') !== value) element.setAttribute('role', value)
      } else if (value === '') element.setAttribute(name, 'true')
    }
  }
  new MutationObserver((changes) => changes.forEach((change) => {
    if (change.type === 'attributes') return mend(change.target)
    change.addedNodes.forEach((node) => [node, ...(node.querySelectorAll ? node.querySelectorAll('*') : [])].forEach(mend))
  })).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: names })
}

export function runApp(load) {
  load()
}

export function define(name, load) {
  space.addComponentStaticConfig(name, description.configs[name])
  space.addCompiledTemplate(name, { groupList: groups, content: groups[name] })
  if (description.styles[name] !== undefined) space.addStyleSheet(name, name, description.scopes[name] || undefined)
  space.componentEnv(name, ({ Page, Component }) => {
    Object.assign(globalThis, { Page, Component })
    load()
  })
}

function call(page, name, ...given) {
  try {
    const result = page.instance[name] && page.instance[name](...given)
    if (result && result.catch) result.catch((error) => hooks.errors.push(`${page.route}.${name}: ${error.stack || error}`))
  } catch (error) {
    hooks.errors.push(`${page.route}.${name}: ${error.stack || error}`)
  }
}

function push(route, query) {
  if (!description.pages.includes(route)) throw { errMsg: `page "${route}" is not found` }
  const top = stack[stack.length - 1]
  if (top) {
    call(top, 'onHide')
    top.element.hidden = true
  }
  const root = backend.createRoot('page', space, route)
  const stage = document.getElementById('stage')
  const place = stage.appendChild(document.createElement('span'))
  const page = { instance: root.get(), root, route, query }
  stack.push(page)
  root.attach(stage, place)
  page.element = root.getComponent().getBackendElement()
  call(page, 'onLoad', query)
  show()
}

function pop(count) {
  for (; count > 0 && stack.length; count -= 1) {
    const page = stack.pop()
    call(page, 'onUnload')
    page.root.release()
    page.element.remove()
  }
}

function show() {
  const page = stack[stack.length - 1]
  const look = { ...description.app.window, ...description.configs[page.route] }
  page.element.hidden = false
  document.getElementById('nav-title').textContent = look.navigationBarTitleText
  document.getElementById('nav-back').style.visibility = stack.length > 1 ? 'visible' : 'hidden'
  document.getElementById('nav').style.background = look.navigationBarBackgroundColor
  scrollTo(0, 0)
  history.replaceState(null, '', `#/${page.route}`)
  call(page, 'onShow')
}

export function start() {
  const [route, query = ''] = location.hash.slice(2).split('?')
  const given = {}
  // As WeChat hands it over: the page decodes.
  query.split('&').filter(Boolean).forEach((pair) => {
    const place = pair.indexOf('=')
    given[pair.slice(0, place)] = pair.slice(place + 1)
  })
  document.getElementById('nav-back').onclick = () => wx.navigateBack()
  addEventListener('scroll', () => {
    const page = stack[stack.length - 1]
    if (innerHeight + scrollY >= document.documentElement.scrollHeight - 50) call(page, 'onReachBottom')
  })
  application.onLaunch?.()
  application.onShow?.()
  push(route || description.pages[0], given)
}
