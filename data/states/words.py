"""Words and marks for how a run ended, as trackers, schedulers and people write them, in several languages."""

from __future__ import annotations

#: States under which a run's last loss is the loss at its end.
FINISHED = """
finished, finish, completed, complete, done, success, successful, succeeded, ok, passed, pass, stopped early, early stopped, closed,
published, ended, stopping completed, terminated normally, inactive, converged, exited normally, cached,
fertig, beendet, abgeschlossen, erfolgreich, erledigt, erfolg, konvergiert,
terminé, terminée, achevé, réussi, réussie, fini, finie, succès, complet,
completado, completada, finalizado, finalizada, terminado, terminada, éxito, exitoso, listo, hecho, concluído, concluída, sucesso,
completato, completata, finito, riuscito, successo, concluso, voltooid, klaar, geslaagd, afgerond, gereed,
zakończono, ukończono, zakończony, ukończony, gotowe, sukces,
завершено, завершен, завершён, готово, успешно, успех, выполнено, закончено,
完成, 已完成, 成功, 结束, 已结束, 結束, 已結束, 完了, 終了, 正常終了, 済, 완료, 완료됨, 성공, 종료
"""
#: States under which it is not.
BROKEN = """
failed, fail, failure, crash, crashed, killed, kill, aborted, abort, cancelled, canceled, interrupted, preempted, timeout, timed out,
time out, oom, oomed, out of memory, node fail, error, errored, diverged, diverging, exploded, nan, nans, dead, terminated, stopped,
revoked, boot fail, lost, not converged, did not converge, unsuccessful, hung, stuck, pruned, oom killed, evicted, not responding,
upstream failed, skipped, unschedulable, node lost, deadline, deadline exceeded, expired, special exit, exit, launch failed,
backoff limit exceeded, crash loop back off, image pull back off, err image pull, container cannot run, system failure, system error,
internal error, user error, infeasible, rejected, removed, deleted, discarded, invalid, broken, shutdown, zombie, zombi, nan loss, inf,
infinite,
unstable, stopping error, partially succeeded, rolled back, quota exceeded, out of time, segfault, bus error, cuda error, nccl error,
spot interrupted,
node failure, hardware failure, gpu failure, network failure, spiked, spiking, spike, loss spike, loss spikes, loss spiked, blew up,
blown up, terminated early,
completed with errors, complete with errors, finished with errors, done with errors,
fehlgeschlagen, gescheitert, abgebrochen, abgestürzt, abbruch, absturz, fehler, fehlerhaft, divergiert, gestoppt, beendet mit fehler,
échoué, échouée, échec, erreur, annulé, annulée, interrompu, interrompue, planté, arrêté, avorté, divergé,
fallido, fallida, fallo, falló, fallado, cancelado, cancelada, abortado, interrumpido, interrumpida, detenido, divergió,
falhou, falha, falhado, erro, interrompido, fallito, fallita, errore, annullato, interrotto, interrotta, abortito,
mislukt, gefaald, afgebroken, fout, geannuleerd, gestopt, nieudany, nieudane, błąd, przerwano, przerwany, anulowano, niepowodzenie,
ошибка, сбой, неудача, провал, прервано, прерван, отменено, отменён, отменен, остановлено, остановлен, упал, расходится,
失败, 已失败, 失敗, 崩溃, 崩潰, 已崩溃, 中断, 已中断, 中斷, 取消, 已取消, 终止, 已终止, 終止, 错误, 錯誤, 异常, 異常, 出错, 发散,
發散, 超时, 逾時, 内存不足, 显存不足, 停止, 已停止, エラー, 中止, 異常終了, キャンセル, 発散, クラッシュ, 실패, 오류, 에러, 중단, 중단됨,
취소, 취소됨, 발산
"""
UNFINISHED = """
running, run, in progress, pending, queued, scheduled, created, unfinished, suspended, active, preempting, requeued, starting,
not finished, not completed, not done, not complete, training, live, not started, paused, resumable, incomplete, ongoing, waiting,
finalizing, finalising, finishing, completing, publishing, stopping, terminating, cancelling, canceling, cancel
requested,
preparing, provisioning, configuring, initializing, initialising, initialized, allocating, submitted, retrying, retry, up for retry,
awaiting retry,
up for reschedule, rescheduled, restarting, resuming, deferred, on schedule, compiling, compiled, processing, uploading, downloading,
pulling,
container creating, evaluating, resizing, signaling, stage out, requeue hold, requeue fed, pend, psusp, ususp, ssusp, blocked, on hold,
held, idle,
wip, work in progress, to rerun, to re run, to be rerun, to be re run, needs rerun, needs re run, needs a rerun, must rerun, rerun needed,
rerun required, to redo, to be redone, redo, to repeat, to be repeated,
unapproved, late, stalled, partial, unfinished run, not running,
laufend, läuft, läuft noch, wartend, ausstehend, in bearbeitung, unvollständig, nicht fertig, nicht beendet, pausiert,
en cours, en attente, inachevé, inachevée, incomplet, incomplète, non terminé, suspendu,
en curso, ejecutando, en ejecución, pendiente, corriendo, incompleto, incompleta, en proceso, en espera, em execução, em andamento,
pendente, rodando, in corso, in esecuzione, in attesa, incompiuto, bezig, lopend, wachtend, onvoltooid, niet klaar,
w toku, w trakcie, oczekuje, выполняется, в процессе, запущено, запущен, ожидание, ожидает, в очереди, не завершено,
运行中, 運行中, 进行中, 進行中, 训练中, 訓練中, 排队中, 排隊中, 等待中, 等待, 未完成, 正在运行, 暂停, 暫停, 実行中, 進行中, 学習中, 待機中,
未完了, 실행 중, 실행중, 진행 중, 진행중, 학습 중, 학습중, 대기 중, 대기중, 미완료
"""
#: Words that a column of states has for a run that somebody keeps, and for one that nobody uses.
KEPT = "keep, kept, use, used, include, included, good, valid, usable, accepted, accept, approved, best"
DISCARDED = """
discard, drop, dropped, exclude, excluded, ignore, ignored, reject, unusable, bad, not used, unused, not kept, left out, set aside,
do not use, not valid, not usable
"""
#: Words for a loss that nobody measured, and those that say so only beside a word for one that somebody did.
PREDICTED = """
predicted, prediction, predictions, pred, extrapolated, extrap, extrapol, forecast, forecasted, projected, projection, interpolated,
hypothetical, not measured,
prévu, prévue, prédit, prédite, prédiction, prévision, extrapolé, extrapolée,
vorhergesagt, vorhersage, prognostiziert, prognose, extrapoliert, previsto, prevista, previsione, predetto, predizione, estrapolato,
predicho, predicha, predicción, pronosticado, pronóstico, extrapolado, extrapolada, previsão, predito, predição,
voorspeld, voorspelling, przewidywany, przewidywana, przewidywane, prognoza, tahmin, tahmini, dự đoán, dự báo,
предсказанный, предсказанная, предсказанное, предсказано, предсказание, прогноз, экстраполяция, экстраполировано,
预测, 预测值, 預測, 預測值, 外推, 予測, 予測値, 外挿, 예측, 예측값, 예측치, 외삽
"""
PERHAPS_PREDICTED = """
fit, fitted, extrapolation, interpolation, estimate, estimated, simulated, simulation, model, theory, theoretical, planned, target,
expected, law, scaling law, imputed
"""
#: Words by which the header of a loss says that nobody measured it, and the stems of those with other endings.
PREDICTED_HEADER = """
proj, est, estimated, estimation, expected, anticipated, simulated, modelled, modeled, theoretical, imputed, beklenen, öngörülen,
ước tính, dự kiến, kỳ vọng, 预计, 預計, 估计, 估計, 预估, 預估, 预期, 預期, 推算, 估算, 拟合, 擬合, 推测, 推測, 期望, 理论, 理論,
予想, 推定, 見積, 想定, 期待, 예상, 추정, 추산, 기대, 이론
"""
PREDICTED_STEMS = """
vorhergesagt, vorausgesagt, prognostiziert, extrapoliert, projiziert, projektiert, geschätzt, erwartet, hochgerechnet, simuliert,
modelliert, predich, previst, predett, predit, proyectad, projetad, proiettat, estimad, stimat, estimé, esperad, attes, attendu, projeté,
pronosticad, simulad, simulat, simulé, teóric, teoric, théoriqu, modelad, modellat, modélisé, extrapolad, estrapolat, voorspeld,
geprojecteerd, geschat, verwacht, szacowan, oszacowan, przewidywan, prognozowan, oczekiwan, ekstrapolowan,
uppskatta, förvänta, forvente, estimert, estimeret, prediker, предсказан, прогноз, прогнозируем, прогнозн, ожидаем, экстраполиров,
оценочн, расчётн, предполагаем, теоретическ, смоделирован, очікуван, передбачен
"""
MEASURED = """
measured, measurement, measurements, actual, run, runs, real, observed, observation, data, experiment, experimental, empirical, trained,
true, ran, logged, ground truth, training run,
mesuré, mesurée, réel, réelle, gemessen, tatsächlich, misurato, misurata, reale, medido, medida, gemeten, zmierzony, ölçülen, thực tế,
измерено, измеренный, фактический, факт, 实测, 实际, 測定, 実測, 実測値, 측정, 실측, 실제
"""
#: Words that say so of a run in brackets behind its name, where in a column of kinds they need another beside them.
PREDICTED_IN_BRACKETS = "estimated, estimate, est, target, planned, plan, simulated, theoretical, expected, imputed"
#: What may follow such a word: what was predicted, from what and up to where.
BEHIND_PREDICTED = """
to, from, at, by, with, for, via, using, on, of, in, up, only, loss, val, value, point, ppl, perplexity, result, fit, law, curve, run, model
"""
#: States that people put at the end of a name without brackets.
ENDS_OF_NAMES = """
crashed, failed, diverged, oom, killed, aborted, cancelled, canceled, unfinished, incomplete, interrupted, preempted, running, broken,
unconverged, exploded, errored
"""
#: Words for states that in the name of a model say something else of it.
OF_A_MODEL = """
pruned, exit, cached, late, partial, compiled, unstable, idle, run, active, training, live, scheduled, model, target, law, scaling law,
created, starting, suspended, expected, theory, pass, closed,
simulated, simulation, estimate, estimated, planned
"""
BEFORE_A_REASON = """
unfinished,
error, failed, failure, crashed, fehler, fehlgeschlagen, abgebrochen, abgestürzt, erreur, échoué, échec, interrompu, fallido, falló, falhou,
fallito, errore, mislukt, fout, błąd, ошибка, сбой, 失败, 失敗, 错误, エラー, 中断, 실패, 오류
"""
#: Marks that stand for a word where a cell holds nothing else, without what chooses their picture (U+FE0F).
MARKS = {
    **dict.fromkeys("✅✓✔☑🟢🎉👍🆗", "finished"),
    **dict.fromkeys("❌✗✘✖❎🔴💥☠💀⛔🚫👎⚠", "failed"),
    **dict.fromkeys("🏃⏳⌛🔄⏸🟡🚧", "running"),
}
YES = "yes, true, y, t, 1, 1.0, ja, oui, sí, si, sim, da, да, tak, 是, はい, 예, ✅, ✓, ✔, ☑, 👍"
NO = "no, false, n, f, 0, 0.0, nein, non, não, nao, nee, net, нет, nie, 否, 不, いいえ, 아니오, ❌, ✗, ✘, ✖, 👎, ☐"
