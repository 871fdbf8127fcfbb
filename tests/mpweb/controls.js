// WeChat's built-in controls that need more than a tag.
const ARIA = { ariaLabel: String, ariaRole: String }

export function builtIns(env, space, groups) {
  const text = { value: String, type: String, placeholder: String, maxlength: { type: Number, value: 140 }, disabled: Boolean, autoHeight: Boolean, disableDefaultPadding: Boolean }
  const add = (tag, properties, wire) => define(env, space, groups, tag, { ...properties, ...ARIA }, wire)
  add('input', text, typed)
  add('textarea', text, typed)
  add('image', { src: String, mode: String }, picture)
  add('button', { disabled: Boolean }, (_, __, host) => {
    host.setAttribute('role', 'button')
    host.tabIndex = 0
    return {}
  })
  add('navigator', { url: String }, function (component, _, host) {
    host.setAttribute('role', 'link')
    host.addEventListener('click', () => wx.navigateTo({ url: component.data.url }))
    return {}
  })
  add('scroll-view', { scrollX: Boolean, scrollY: Boolean }, () => ({}))
}

function define(env, space, groups, tag, properties, wire) {
  const global = env.getGlobalCodeSpace()
  const name = `builtin/${tag}`
  global.addComponentStaticConfig(name, { component: true, styleIsolation: 'apply-shared' })
  global.addStyleSheet(name, undefined, '')
  global.addCompiledTemplate(name, { groupList: groups, content: groups[name] })
  const observers = {}
  for (const key of Object.keys(properties)) observers[key] = function (value) { this.sync?.(key, value) }
  const attached = function () {
    const host = this._$.getBackendElement()
    const inner = host.querySelector('.n')
    const wired = wire(this, inner, host)
    this.sync = (key, value) => {
      if (key === 'ariaLabel') (inner || host).setAttribute('aria-label', value || '')
      else if (key === 'ariaRole' && value) host.setAttribute('role', value)
      else if (key === 'disabled') {
        host.toggleAttribute('disabled', Boolean(value))
        host.setAttribute('aria-disabled', String(Boolean(value)))
      } else wired[key]?.(value)
    }
    for (const key of Object.keys(properties)) this.sync(key, this.data[key])
  }
  const type = global.component(name).definition({ properties, observers, lifetimes: { attached } }).register()
  space.getComponentSpace().setGlobalUsingComponent(`wx-${tag}`, type._$)
}

function typed(component, inner) {
  const tell = (name) => component._$.triggerEvent(name, { value: inner.value, cursor: inner.selectionStart || 0 }, {})
  inner.addEventListener('input', (event) => {
    event.stopPropagation()
    tell('input')
  })
  inner.addEventListener('keydown', (event) => event.key === 'Enter' && tell('confirm'))
  return {
    value: (value) => {
      if (inner.value !== String(value ?? '')) inner.value = String(value ?? '')
    },
    maxlength: (most) => (most > 0 ? (inner.maxLength = most) : inner.removeAttribute('maxlength')),
    placeholder: (value) => (inner.placeholder = value || ''),
  }
}

function picture(component, inner) {
  inner.alt = ''
  inner.onerror = () => __mp.errors.push(`image: ${component.data.src}`)
  return { src: (value) => value && (inner.src = value.replace(/^\//, '')) }
}
