# Both libraries, the public headers, the program, manual pages, schemas and the pkg-config file.
configure_file(cmake/stwatch.pc.in stwatch.pc @ONLY)
install(TARGETS stwatch_static stwatch_shared stwatch_cli
	RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
	LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
	ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/stwatch DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/stwatch.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(GLOB STWATCH_MAN1 CONFIGURE_DEPENDS man/*.1)
install(FILES ${STWATCH_MAN1} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
file(GLOB STWATCH_SCHEMAS CONFIGURE_DEPENDS docs/schema/*.json)
install(FILES ${STWATCH_SCHEMAS} DESTINATION ${CMAKE_INSTALL_DATADIR}/stwatch/schema)
# The program writes what shells need to complete it.
if(NOT CMAKE_CROSSCOMPILING)
	foreach(shell_file bash:bash-completion/completions/stwatch zsh:zsh/site-functions/_stwatch fish:fish/vendor_completions.d/stwatch.fish)
		string(REPLACE ":" ";" parts ${shell_file})
		list(GET parts 0 shell)
		list(GET parts 1 place)
		set(script ${CMAKE_CURRENT_BINARY_DIR}/completion/${place})
		get_filename_component(folder ${script} DIRECTORY)
		file(MAKE_DIRECTORY ${folder})
		add_custom_command(OUTPUT ${script} COMMAND stwatch_cli completion ${shell} > ${script} DEPENDS stwatch_cli VERBATIM)
		list(APPEND STWATCH_COMPLETIONS ${script})
	endforeach()
	add_custom_target(stwatch_completions ALL DEPENDS ${STWATCH_COMPLETIONS})
	install(DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/completion/ DESTINATION ${CMAKE_INSTALL_DATADIR})
endif()
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
