import { mdiAccountMultipleOutline, mdiHistory, mdiViewDashboardOutline } from '@mdi/js'
import {
  createRouter,
  createWebHistory,
  loadRouteLocation,
  type RouteLocation,
  type RouteRecordRaw,
} from 'vue-router'
import { safePath } from '@/safePath'
import { useSession } from '@/store/session'
import Login from '@/views/Login.vue'

declare module 'vue-router' {
  interface RouteMeta {
    /** The key of the page title in the locales. */
    title?: string
    /** The menu section that lists the view. */
    menu?: 'main' | 'admin'
    icon?: string
    forSuperusers?: boolean
  }
}

const idProps = ({ params }: RouteLocation) => ({ id: Number(params.id) })

/** The routes of each resource are in the folder of its views. The menu lists the resources by these names. */
const resources = import.meta.glob<{ routes: RouteRecordRaw[] }>('@/views/main/*/routes.ts', {
  eager: true,
})

/** The views that require a login. The menu lists them in this order. */
const mainRoutes: RouteRecordRaw[] = [
  {
    path: 'dashboard',
    component: () => import('@/views/main/Dashboard.vue'),
    meta: { title: 'dashboard.title', menu: 'main', icon: mdiViewDashboardOutline },
  },
  ...Object.values(resources).flatMap(({ routes }) => routes),
  {
    path: 'settings',
    component: () => import('@/views/main/Settings.vue'),
    meta: { title: 'settings.title' },
  },
  // The paths of the original template.
  { path: 'profile', redirect: '/main/settings' },
  { path: 'profile/view', redirect: '/main/settings' },
  { path: 'profile/edit', redirect: '/main/settings#profile' },
  { path: 'profile/password', redirect: '/main/settings#password' },
  { path: 'admin', redirect: '/main/admin/users/all' },
  { path: 'admin/users', redirect: '/main/admin/users/all' },
  {
    path: 'admin/users/all',
    component: () => import('@/views/main/admin/AdminUsers.vue'),
    meta: {
      title: 'user.all',
      menu: 'admin',
      icon: mdiAccountMultipleOutline,
      forSuperusers: true,
    },
  },
  {
    path: 'admin/users/create',
    component: () => import('@/views/main/admin/CreateUser.vue'),
    meta: { title: 'user.create', forSuperusers: true },
  },
  {
    path: 'admin/users/edit/:id(\\d+)',
    component: () => import('@/views/main/admin/EditUser.vue'),
    meta: { title: 'user.edit', forSuperusers: true },
    props: idProps,
  },
  {
    path: 'admin/audit',
    component: () => import('@/views/main/admin/AuditLog.vue'),
    meta: { title: 'audit.title', menu: 'admin', icon: mdiHistory, forSuperusers: true },
  },
  {
    path: ':path(.*)*',
    component: () => import('@/views/NotFound.vue'),
    meta: { title: 'notFound.title' },
  },
]

/** Returns the entries of a menu section. */
export const menuEntries = (section: 'main' | 'admin') =>
  mainRoutes.flatMap(({ path, meta }) =>
    meta?.menu === section ? { path: `/main/${path}`, title: meta.title!, icon: meta.icon } : [],
  )

/** Returns the menu entry of a view. A form belongs to the entry of its list. */
export const menuEntryOf = (path: string) =>
  [...menuEntries('main'), ...menuEntries('admin')].find((entry) =>
    path.startsWith(entry.path.replace(/all$/, '')),
  )

const routes: RouteRecordRaw[] = [
  { path: '/', redirect: '/main' },
  // Login is not loaded as a separate chunk, because most visits begin with it.
  { path: '/login', component: Login, meta: { title: 'login.title' } },
  {
    path: '/sign-up',
    component: () => import('@/views/SignUp.vue'),
    meta: { title: 'signUp.title' },
  },
  {
    path: '/recover-password',
    component: () => import('@/views/PasswordRecovery.vue'),
    meta: { title: 'recovery.title' },
  },
  {
    path: '/reset-password',
    component: () => import('@/views/ResetPassword.vue'),
    meta: { title: 'reset.title' },
  },
  {
    path: '/verify-email',
    component: () => import('@/views/VerifyEmail.vue'),
    meta: { title: 'verification.title' },
  },
  {
    path: '/main',
    component: () => import('@/views/main/Main.vue'),
    redirect: '/main/dashboard',
    children: mainRoutes,
  },
  {
    path: '/:path(.*)*',
    component: () => import('@/views/NotFound.vue'),
    meta: { title: 'notFound.title' },
  },
]

export const router = createRouter({
  history: createWebHistory(),
  routes,
  // Back restores the position. 72 is the height of the app bar, with a gap.
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- Its replacement is still experimental.
  scrollBehavior: ({ hash }, _from, saved) => saved ?? (hash ? { el: hash, top: 72 } : { top: 0 }),
})

router.beforeEach(async (to) => {
  const { path, fullPath, query, matched } = to
  // Loads the view while the session is restored. If this fails, the router tries again.
  void loadRouteLocation(to).catch(() => {})
  if (matched[0]?.path === '/main' && !(await useSession().restore())) {
    return { path: '/login', query: path === '/main/dashboard' ? {} : { redirect: fullPath } }
  }
  if (path === '/login' && (await useSession().restore())) return safePath(query.redirect)
})
